import ArenaGame
import ArenaShared
import ClientCore
import RoomEngine
import WireFormat

/// An arena and its players without sockets: every step runs one tick and carries all bytes both ways.
final class Bout {
  let fields: ArenaFields
  let room: Room
  private(set) var players: [Challenger] = []
  private let context = EngineContext()

  init(seed: UInt64 = 1) throws {
    fields = try ArenaFields()
    room = Room(
      name: "bout", kind: try Arena.roomKind(seed: seed), context: context, start: Instant(nanoseconds: 0),
      startMicroseconds: 0)
  }

  deinit { room.close(.roomClosed, "") }

  /// Adds a player and runs the tick that seats it.
  func join() throws -> Challenger {
    let player = try Challenger(number: players.count, now: room.due(room.tick.rawValue))
    players.append(player)
    room.requestSeat(
      JoinRequest(
        delivery: player.delivery, session: UInt64(player.delivery.tag),
        join: Join(room: "bout", roomKind: "arena", schemaHash: 0, strictSchema: false, options: [])))
    step()
    return player
  }

  func step(_ ticks: Int = 1) {
    for _ in 0..<ticks { stepOnce() }
  }

  private func stepOnce() {
    let next = Tick(room.tick.rawValue + 1)
    let now = room.due(next.rawValue)
    for player in players { player.send(to: room, now: now) }
    room.run(next, now: now)
    room.takeEffects { effect in
      if case .evict(let delivery, let reason, _) = effect { players[delivery.tag].evicted = reason }
    }
    for player in players { player.take(from: room, context, now: now) }
    context.settle()
  }
}

/// A client of a ``Bout``, and what it saw.
final class Challenger: ClientCoreDelegate {
  let core = ClientCore(ClientConfiguration())
  let delivery: Delivery
  var evicted: CloseReason?
  private(set) var frags: [Fragged] = []
  private(set) var shots: [PlayerID] = []
  private(set) var hits: [HitBy] = []
  private(set) var replies: [(status: UInt16, payload: [UInt8])] = []
  private(set) var faults: [ClientFault] = []
  /// Every byte received.
  private(set) var received: [UInt8] = []
  private var assembler = MessageAssembler(limit: WireLimits.clientMessageBytes)

  init(number: Int, now: Instant) throws {
    delivery = Delivery(tag: number, now: now)
    try core.connect(now: 0)
    core.discard()
    let welcome = Welcome(
      session: UInt64(number), timeMicroseconds: 0, maxClientMessage: WireLimits.clientMessageBytes,
      maxServerMessage: WireLimits.serverMessageBytes, graceSeconds: 20, ticket: Array(repeating: 0, count: 16))
    let bytes = encodedBytes(bound: Welcome.bound + messageOverhead) { welcome.encode(into: &$0) }
    _ = core.receive(bytes.span, now: 0, self)
    try core.join("bout", kind: "arena")
    core.discard()
  }

  var player: PlayerID { core.seat?.player ?? PlayerID(rawValue: .max) }

  // MARK: The state as it sees it

  func avatar(_ fields: ArenaFields, of player: PlayerID? = nil) -> EntityID? {
    entities(fields.avatar).first { core.tables[Int($0.kind.rawValue)].owner(of: Int($0.id)) == player ?? self.player }
  }

  func entities(_ kind: KindIndex) -> [EntityID] {
    var found: [EntityID] = []
    guard Int(kind.rawValue) < core.tables.count else { return [] }
    core.tables[Int(kind.rawValue)].forEach { found.append(EntityID(kind: kind, id: UInt16($0))) }
    return found
  }

  func value<Value>(_ key: FieldKey<Value>, of entity: EntityID) -> Value {
    core.tables[Int(key.kind.rawValue)].load(key, Int(entity.id))
  }

  // MARK: What it does

  func propose(_ position: SIMD2<Double>, _ fields: ArenaFields) throws {
    guard let avatar = avatar(fields) else { return }
    try core.set(fields.position, of: avatar, to: position)
    try core.flushInput()
  }

  func fire(_ direction: SIMD2<Double>) throws {
    let payload = Shot(direction: direction).bytes
    try core.raise(Shot.code, to: .others, reliably: false, payload: payload.span)
  }

  func call(_ method: ArenaCall, _ payload: [UInt8] = []) throws {
    _ = try core.call(method.rawValue, payload: payload.span)
  }

  func leave() throws { try core.leave() }

  // MARK: Bytes

  func send(to room: Room, now: Instant) {
    let output = core.takeOutput()
    _ = try? assembler.feed(output.span) { type, body in
      guard let type = MessageType(rawValue: type) else { return .stop }
      try? room.receive(type, body, from: delivery, now: now)
      return .proceed
    }
  }

  func take(from room: Room, _ context: EngineContext, now: Instant) {
    while room.planWrite(for: delivery, now: now) == .write {
      let bytes = context.plan.withSlices { slices in slices.flatMap { Array($0) } }
      _ = delivery.took(bytes.count, of: context.plan, pool: context.pool, now: now)
      received += bytes
      _ = core.receive(bytes.span, now: now.nanoseconds / 1_000, self)
    }
  }

  // MARK: What it is told

  func client(_ core: ClientCore, didReceive event: RoomEvent, payload: Span<UInt8>) {
    let bytes = payload.array(0..<payload.count)
    if event.code == Fragged.code, let frag = try? Fragged(bytes) { frags.append(frag) }
    if event.code == Shot.code, let sender = event.sender { shots.append(sender) }
  }

  func client(_ core: ClientCore, didReceive whisper: Whisper, payload: Span<UInt8>) {
    if whisper.code == HitBy.code, let hit = try? HitBy(payload.array(0..<payload.count)) { hits.append(hit) }
  }

  func client(_ core: ClientCore, didReceive reply: Reply, payload: Span<UInt8>) {
    replies.append((reply.status, payload.array(0..<payload.count)))
  }

  func client(_ core: ClientCore, didFind fault: ClientFault) { faults.append(fault) }
}

extension ClientCore {
  /// The test speaks for the server until the room takes over.
  fileprivate func discard() { _ = takeOutput() }
}
