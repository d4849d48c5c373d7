import ClientCore
import RoomEngine
import RoomTestKit
import WireFormat

/// One life of a room, told by the input: clients come, go, stall, vanish and come back while they move, talk and call,
/// or send bytes that no client should.
///
/// The mirrors must agree with the room, the books must balance after every tick, no protocol rule may be broken, and
/// every reliable event must reach whom it is for once and in order.
final class RoomProgram {
  private var input: FuzzInput
  private let room: SimulatedRoom
  private let game: RoomProgramGame
  private let keys: RoomProgramKeys
  private var clients: [SimulatedClient] = []
  /// Those that have sent raw bytes: the server answers what their cores know nothing of.
  private var rogues: [SimulatedClient] = []
  private var lost: [String] = []

  private static let mostClients = 6
  /// Bounds an execution: what an input of the fuzzer's length can ask for.
  private static let mostSteps = 300

  init(_ bytes: [UInt8]) throws {
    input = FuzzInput(bytes)
    var limits = RoomLimits()
    limits.frameLogFrames = 2 + input.below(6)
    limits.frameLogBytes = .kib(4)
    limits.eventLogEvents = 16 + input.below(32)
    limits.eventLogBytes = .kib(4)
    limits.eventBytesPerTick = .kib(2)
    limits.backlogBytes = .kib(4)
    limits.inboxBytes = .kib(1 + input.below(4))
    limits.admissionsPerTick = 1 + input.below(3)
    limits.stallDeadline = .milliseconds(300)
    limits.lagDeadline = .milliseconds(600)
    limits.grace = .milliseconds(100 + input.below(8) * 100)
    limits.linger = .milliseconds(800)
    limits.heartbeat = .milliseconds(100 + input.below(4) * 100)
    let schema = try SampleSchema.make()
    keys = try RoomProgramKeys(schema)
    game = RoomProgramGame(rules: input.take(8))
    // Called on this thread only, within the initialiser.
    nonisolated(unsafe) let logic = game
    let kind = RoomKind("fuzz", schema: schema, tickRate: 30, capacity: 4, limits: limits) { logic }
    room = SimulatedRoom(kind, seed: UInt64(input.byte()))
    let network = input.below(4)
    room.fragmentsReads = network & 1 == 1
    room.readsAtTicks = network & 2 == 2
    room.afterTick = { [unowned self] in
      room.check(clients)
      for client in clients { verify(client) }
      forgiveRogues()
    }
  }

  func run() -> [String] {
    var steps = 0
    while !input.isEmpty, steps < Self.mostSteps, !room.room.isClosed, room.faults.isEmpty {
      step()
      forgiveRogues()
      steps += 1
    }
    for client in clients { client.connection?.flow() }
    room.advance(by: .milliseconds(100))
    room.finish()
    forgiveRogues()
    return room.faults + lost
  }

  // MARK: Steps

  private func step() {
    let choice = input.below(20)
    if choice < 4 { return room.advance(ticks: 1 + choice / 3 * input.below(8)) }
    if choice == 4 { return room.advance(by: .milliseconds(input.below(256))) }
    if choice == 5 || clients.isEmpty, clients.count < Self.mostClients {
      return clients.append(input.below(8) == 7 ? room.connect() : room.join())
    }
    guard !clients.isEmpty else { return }
    let client = clients[input.below(clients.count)]
    if !client.isConnected, choice < 17 { return client.connect() }
    switch choice {
    case 6, 7: move(client)
    case 8, 9: raise(client)
    case 10: if client.isInRoom { client.call(UInt16(input.below(5)), payload: input.take(input.below(64))) }
    case 11: if client.isInRoom { client.leave() }
    case 12: if client.core.phase == .welcomed { client.join(options: input.take(input.below(4))) }
    case 13: client.connection?.stall()
    case 14: client.connection?.grant(input.word())
    case 15: client.connection?.flow()
    case 16: client.connection?.cut(afterBytes: input.word() % 2048)
    case 17: client.disconnect()
    case 18: network(client)
    default: sendRaw(client)
    }
  }

  private func network(_ client: SimulatedClient) {
    switch input.below(3) {
    case 0: client.connection?.mostBytesPerWrite = input.below(4) == 0 ? nil : input.below(256)
    case 1: client.connection?.trickleBytes = input.below(256)
    // A second connection of the same client: it supersedes the first.
    default: client.connect()
    }
  }

  private func move(_ client: SimulatedClient) {
    guard client.isInRoom, let avatar = client.ownEntities(SampleSchema.avatar).first else { return }
    let which = input.byte()
    let value = Double(input.word()) - 32768
    let text = String(repeating: "x", count: input.below(13))
    let keys = keys
    client.say { core throws(ClientMisuse) in
      if which & 1 != 0 { try core.set(keys.position, of: avatar, to: SIMD2(value, -value)) }
      if which & 2 != 0 { try core.set(keys.yaw, of: avatar, to: value) }
      if which & 4 != 0 { try core.set(keys.turn, of: avatar, to: Quaternion(w: value, x: 3, y: 1, z: -2)) }
      if which & 8 != 0 { try core.set(keys.name, of: avatar, to: text) }
      try core.flushInput()
    }
  }

  private func raise(_ client: SimulatedClient) {
    guard client.isInRoom else { return }
    let how = input.byte()
    let target: EventTarget =
      switch how & 3 {
      case 0: .one(PlayerID(rawValue: UInt16(how >> 5)))
      case 1: .others
      default: .all
      }
    client.raise(20, game.newPayload(more: input.byte()), to: target, reliably: how & 4 == 0)
  }

  /// A message of any type and body, framed or not.
  private func sendRaw(_ client: SimulatedClient) {
    let isFramed = input.below(4) != 3
    let bytes = input.take(1 + input.below(48))
    rogues.append(client)
    client.send(
      raw: isFramed ? encodedBytes(bound: bytes.count + messageOverhead) { $0.put(bytes: bytes.span) } : bytes)
  }

  // MARK: What must hold

  /// What a rogue's core complains of is its own doing.
  private func forgiveRogues() {
    guard !room.faults.isEmpty else { return }
    room.faults.removeAll { fault in
      rogues.contains { fault.hasPrefix("\($0.player.map(\.description) ?? "a client without a seat") found: ") }
    }
  }

  private func verify(_ client: SimulatedClient) {
    guard client.isInRoom, let player = client.player else { return }
    let seen = client.eventsOfThisSeat.filter { $0.number != nil && $0.code >= WireLimits.firstGameEventCode }
    let due = game.raised.filter { $0.number > client.joinedEvent && ($0.isForSender || $0.sender != player) }
    let isUpToDate = client.tick == room.lastFrame && client.connection?.isBlocked == false
    let pairs = zip(seen, due)
    if pairs.contains(where: { $0.number != $1.number || $0.payload != $1.payload })
      || seen.count > due.count || isUpToDate && seen.count < due.count
    {
      lost.append("\(player) saw events \(seen.map(\.number)) of \(due.map(\.number)), up to date: \(isUpToDate)")
    }
  }
}

/// Keys of the sample schema's avatar.
struct RoomProgramKeys {
  let position: FieldKey<SIMD2<Double>>
  let yaw: FieldKey<Double>
  let turn: FieldKey<Quaternion>
  let name: FieldKey<String>

  init(_ schema: Schema) throws {
    position = try schema.key("avatar", "position")
    yaw = try schema.key("avatar", "yaw")
    turn = try schema.key("avatar", "turn")
    name = try schema.key("avatar", "name")
  }
}
