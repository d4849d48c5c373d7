import ClientCore
import RoomEngine
import RoomTestKit
import WireFormat

/// One random life of a room: clients come, go, stall, vanish and come back while they move, talk and call. The seed
/// decides everything.
final class RandomRun {
  /// A reliable event that the room has raised.
  struct Raised {
    let number: UInt64
    let id: UInt32
    let sender: PlayerID?
    let isForSender: Bool
  }

  let stage: Stage
  var random: SplitMix64
  var clients: [SimulatedClient] = []
  var raised: [Raised] = []
  /// Reliable whispers by seat generation.
  var whispered: [UInt32: [UInt32]] = [:]
  private var lastID: UInt32 = 0
  private var steps: Int

  var room: SimulatedRoom { stage.room }
  var faults: [String] { room.faults + missed }
  private var missed: [String] = []

  init(seed: UInt64) throws {
    random = SplitMix64(seed: seed)
    var limits = RoomLimits()
    limits.frameLogFrames = 2 + random.below(random.oneIn(2) ? 4 : 14)
    limits.frameLogBytes = .kib(4 + random.below(8))
    limits.eventLogEvents = 16 + random.below(64)
    limits.eventLogBytes = .kib(4 + random.below(8))
    limits.eventBytesPerTick = .kib(2)
    limits.backlogBytes = .kib(4)
    limits.admissionsPerTick = 1 + random.below(3)
    limits.skips = 2 + random.below(3)
    limits.skipWindow = .seconds(1 + random.below(3))
    limits.stallDeadline = .milliseconds(300 + random.below(700))
    limits.lagDeadline = .milliseconds(600 + random.below(1400))
    limits.grace = .milliseconds(200 + random.below(1000))
    limits.linger = .milliseconds(500 + random.below(1000))
    limits.heartbeat = .milliseconds(100 + random.below(500))
    steps = 30 + random.below(60)
    stage = try Stage(
      seed: random.next(), capacity: 2 + random.below(4), tickRate: 10 + random.below(50), avatars: 12, limits)
    room.fragmentsReads = random.oneIn(2)
    writeRules()
  }

  func run() {
    for _ in 0..<steps where !room.room.isClosed {
      for _ in 0...random.below(4) { act() }
      if random.oneIn(3) { room.advance(by: .milliseconds(random.below(30))) } else { room.advance(ticks: 1) }
      verify()
      guard faults.isEmpty else { return }
    }
    for client in clients { client.connection?.flow() }
    if !random.oneIn(4) { room.advance(by: .milliseconds(300)) }
    verify()
    room.finish()
  }

  // MARK: The game

  private func writeRules() {
    let game = stage.game
    game.onJoined = { [unowned self] player, room in
      if random.oneIn(3) { whisper(player, room) }
      if random.oneIn(20) { room.kick(player, "unwelcome") }
    }
    game.onAdmit = { [unowned self] _, _ in random.oneIn(10) ? .reject("not today") : .admit }
    game.onEvent = { [unowned self] event, sender, _ in
      if random.oneIn(10) { return false }
      guard event.isReliable else { return true }
      switch event.target {
      case .all: note(id(event.payload), from: sender, isForSender: true)
      case .others: note(id(event.payload), from: sender, isForSender: false)
      case .one(let target): noteWhisper(id(event.payload), target)
      }
      return true
    }
    game.onCall = { [unowned self] method, payload, _, _ in
      switch method {
      case 1: .reply(payload)
      case 2: .reject("no")
      case 3: .later
      default: random.oneIn(2) ? .failure(.payloadInvalid) : .failure(.unknownMethod)
      }
    }
    game.onTick = { [unowned self] room in tick(room) }
  }

  private func tick(_ room: Room) {
    while let call = stage.game.calls.last, random.oneIn(2) {
      stage.game.calls.removeLast()
      room.reply(to: call, with: .reply([7]))
    }
    switch random.below(8) {
    case 0: _ = room.create(TestSchema.crate)
    case 1: if let crate = room.entities(TestSchema.crate).randomElement(using: &random) { room.remove(crate) }
    case 2:
      for crate in room.entities(TestSchema.crate) { room.set(stage.keys.level, of: crate, to: random.below(256)) }
    case 3:
      for _ in 0...random.below(4) {
        let id = nextID()
        let isReliable = !random.oneIn(4)
        let next = room.lastRaised + 1
        if room.raise(100, bytes(id, random.below(400)), reliably: isReliable), isReliable {
          raised.append(Raised(number: next, id: id, sender: nil, isForSender: true))
        }
      }
    case 4: if let player = room.players.randomElement(using: &random) { whisper(player, room) }
    case 5 where random.oneIn(6):
      if let player = room.players.randomElement(using: &random) { room.kick(player, "a whim") }
    case 6 where random.oneIn(4): if room.isLocked { room.unlock() } else { room.lock() }
    default: break
    }
  }

  /// The room is about to raise it.
  private func note(_ id: UInt32, from sender: PlayerID, isForSender: Bool) {
    raised.append(Raised(number: room.room.lastRaised + 1, id: id, sender: sender, isForSender: isForSender))
  }

  private func whisper(_ player: PlayerID, _ room: Room) {
    for _ in 0...random.below(3) {
      let id = nextID()
      let isReliable = !random.oneIn(3)
      if isReliable { noteWhisper(id, player) }
      room.whisper(50, bytes(id, random.below(100)), to: player, reliably: isReliable)
    }
  }

  private func noteWhisper(_ id: UInt32, _ player: PlayerID) {
    guard let generation = room.room.generation(of: player) else { return }
    whispered[generation, default: []].append(id)
  }

  // MARK: What clients and the network do

  private func act() {
    guard let client = clients.randomElement(using: &random), !random.oneIn(8) || clients.count > 7 else {
      if random.oneIn(clients.count + 1) { clients.append(random.oneIn(5) ? stage.connect() : stage.join()) }
      return
    }
    if !client.isConnected {
      if random.oneIn(2) { client.connect() }
      return
    }
    switch random.below(16) {
    case 0...3: move(client)
    case 4...6: talk(client)
    case 7:
      if client.isInRoom { client.call(UInt16(1 + random.below(4)), payload: bytes(nextID(), random.below(50))) }
    case 8 where random.oneIn(3): if client.isInRoom { client.leave() }
    case 9: if client.core.phase == .welcomed { client.join() }
    case 10, 15: disturb(client)
    case 11 where random.oneIn(3):
      client.connection?.cut(afterBytes: random.oneIn(3) ? 0 : random.below(2000))
    case 12 where random.oneIn(6): client.disconnect()
    case 13 where random.oneIn(4): client.connect()
    case 14: client.connection?.grant(random.below(500))
    default: if random.oneIn(4) { client.connection?.flow() }
    }
  }

  private func disturb(_ client: SimulatedClient) {
    switch random.below(4) {
    case 0: client.connection?.flow()
    case 1: client.connection?.mostBytesPerWrite = random.oneIn(3) ? nil : random.below(300)
    case 2: client.connection?.trickleBytes = random.below(200)
    default:
      client.connection?.stall()
      client.connection?.grant(random.oneIn(2) ? 0 : random.below(300))
    }
  }

  private func move(_ client: SimulatedClient) {
    guard client.isInRoom, let avatar = client.ownEntities(TestSchema.avatar).first else { return }
    let keys = stage.keys
    let x = Double(random.below(200)) - 100
    let degrees = Double(random.below(360))
    let which = random.below(4)
    let text = String(repeating: "x", count: random.below(13))
    client.say { core throws(ClientMisuse) in
      try core.set(keys.position, of: avatar, to: SIMD2(x, -x))
      if which == 0 { try core.set(keys.yaw, of: avatar, to: degrees) }
      if which == 1 { try core.set(keys.name, of: avatar, to: text) }
      if which == 2 { try core.set(keys.turn, of: avatar, to: Quaternion(w: x, x: degrees, y: 1, z: -2)) }
      try core.flushInput()
    }
  }

  private func talk(_ client: SimulatedClient) {
    guard client.isInRoom else { return }
    let target: EventTarget =
      switch random.below(5) {
      case 0: .one(PlayerID(rawValue: UInt16(random.below(6))))
      case 1, 2: .others
      default: .all
      }
    for _ in 0...random.below(3) where client.isInRoom {
      client.raise(
        20, bytes(nextID(), random.below(random.oneIn(5) ? 900 : 60)), to: target, reliably: !random.oneIn(3))
    }
  }

  // MARK: What must hold

  private func verify() {
    for client in clients { verify(client) }
  }

  private func verify(_ client: SimulatedClient) {
    guard client.isInRoom, let seat = client.core.seat else { return }
    let isUpToDate = client.tick == room.lastFrame && client.connection?.isBlocked == false && !room.room.isClosed
    let events = client.eventsOfThisSeat.filter { $0.number != nil }.map { id($0.payload) }
    let due = raised.filter { $0.number > client.joinedEvent && ($0.isForSender || $0.sender != seat.player) }.map(\.id)
    compare("events", events, due, isUpToDate, seat.player)
    let whispers = client.whispersOfThisSeat.filter { $0.number != nil }.map { id($0.payload) }
    compare("whispers", whispers, whispered[seat.generation] ?? [], isUpToDate, seat.player)
  }

  private func compare(_ what: String, _ seen: [UInt32], _ due: [UInt32], _ isUpToDate: Bool, _ player: PlayerID) {
    if isUpToDate ? seen != due : !due.starts(with: seen) {
      missed.append("\(player) \(isUpToDate ? "is up to date and " : "")got \(what) \(seen) of \(due)")
    }
  }

  private func nextID() -> UInt32 {
    lastID += 1
    return lastID
  }

  private func bytes(_ id: UInt32, _ more: Int) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: id >> (UInt32($0) * 8)) } + Array(repeating: 0xAB, count: more)
  }

  private func id(_ payload: [UInt8]) -> UInt32 {
    payload.prefix(4).enumerated().reduce(0) { $0 | UInt32($1.element) << (UInt32($1.offset) * 8) }
  }
}
