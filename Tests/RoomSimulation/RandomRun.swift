import ClientCore
import RoomEngine
package import RoomTestKit
import WireFormat

/// One random life of a room: clients come, go, stall, vanish and come back while they move, talk and call, over a
/// network that takes any number of bytes and fails. The seed decides everything; what must always hold is looked at
/// after every step.
package final class RandomRun {
  /// A reliable event that the room has raised.
  struct Raised {
    let number: UInt64
    let id: UInt32
    let sender: PlayerID?
    let isForSender: Bool
  }

  package let room: SimulatedRoom
  package private(set) var clients: [SimulatedClient] = []
  let keys: RandomSchema
  let game = RandomGame()
  var random: SplitMix64
  var raised: [Raised] = []
  /// Reliable whispers by seat generation.
  var whispered: [UInt32: [UInt32]] = [:]
  /// The last reliable whisper asked for, with the seat it was for and that seat's last number before it.
  var openWhisper: (id: UInt32, player: PlayerID, generation: UInt32, last: UInt64)?
  /// The connection that a message was sent on, by its id.
  var saidOn: [UInt32: SimulatedConnection] = [:]
  /// Every connection there ever was.
  var connections: [SimulatedConnection] = []
  var watches: [Watch] = []
  var faultsFound: [String] = []
  /// Of all frames sealed.
  var frameDigest: UInt64 = 0xcbf2_9ce4_8422_2325
  var digestedFrames: UInt64 = 0
  private var lastID: UInt32 = 0
  private let steps: Int

  package init(seed: UInt64) throws {
    random = SplitMix64(seed: seed)
    keys = try RandomSchema()
    let limits = Self.limits(&random)
    steps = 30 + random.below(60)
    // Called on this thread only, within the initialiser.
    nonisolated(unsafe) let logic = game
    let kind = RoomKind(
      "random", schema: keys.schema, tickRate: 10 + random.below(50), capacity: 2 + random.below(4), limits: limits
    ) { logic }
    if let fault = kind.fault { faultsFound.append(fault) }
    room = SimulatedRoom(kind, seed: random.next())
    room.fragmentsReads = random.oneIn(2)
    room.readsAtTicks = random.oneIn(2)
    room.deadlines = SimulatedDeadlines(
      handshake: .milliseconds(100 + random.below(1900)), idle: .milliseconds(300 + random.below(1500)),
      ping: .milliseconds(50 + random.below(200)))
    game.run = self
    room.onConnect = { [unowned self] connection in
      connections.append(connection)
      connection.keepsItsEnd = random.oneIn(6)
      watches.append(Watch())
    }
    room.afterTick = { [unowned self] in checkTick() }
  }

  /// Small enough that everything that is bounded is reached.
  private static func limits(_ random: inout SplitMix64) -> RoomLimits {
    var limits = RoomLimits()
    limits.frameLogFrames = 2 + random.below(random.oneIn(2) ? 4 : 14)
    limits.frameLogBytes = .kib(4 + random.below(8))
    limits.eventLogEvents = 16 + random.below(random.oneIn(2) ? 4 : 64)
    limits.eventLogBytes = .kib(4 + random.below(8))
    limits.eventBytesPerTick = .kib(2)
    limits.payloadBytes = ByteCount(random.oneIn(4) ? 16 + random.below(1009) : 1024)
    limits.inboxBytes = .kib(random.oneIn(4) ? 1 : 8)
    limits.backlogBytes = .kib(4 + random.below(2) * 4)
    limits.messagesPerSecond = random.oneIn(6) ? 1 + random.below(20) : 500
    limits.messageBurst = random.oneIn(6) ? 4 + random.below(20) : 1000
    limits.admissionsPerTick = 1 + random.below(3)
    let patience = random.oneIn(2) ? 1 : 4
    limits.stallDeadline = .milliseconds(100 + random.below(900 * patience))
    limits.lagDeadline = .milliseconds(100 + random.below(1900 * patience))
    limits.grace = .milliseconds(100 + random.below(1100))
    limits.linger = .milliseconds(100 + random.below(1400))
    limits.heartbeat = .milliseconds(100 + random.below(500))
    if random.oneIn(2) { limits.inputsPerTick = .count(1) }
    return limits
  }

  /// What went wrong; empty unless something did.
  package var faults: [String] { room.faults + game.faults + faultsFound }

  /// What tells this run from any other: the frames, and every byte that reached a client.
  package private(set) var digest: UInt64 = 0

  /// Lives the whole life, or up to the first fault.
  package func run() {
    for _ in 0..<steps where !room.room.isClosed {
      for _ in 0...random.below(4) {
        act()
        checkStep()
      }
      if random.oneIn(3) { room.advance(by: .milliseconds(random.below(30))) } else { room.advance(ticks: 1) }
      checkStep()
      guard faults.isEmpty else { return }
    }
    for client in clients { client.connection?.flow() }
    if !random.oneIn(4) { room.advance(by: .milliseconds(300)) }
    checkStep()
    guard faults.isEmpty else { return }
    digest = connections.reduce(frameDigest) { ($0 ^ $1.digest) &* 0x100_0000_01b3 }
    finish()
  }

  private func finish() {
    if random.oneIn(8) { room.close(.draining, "the server is shutting down") }
    room.finish()
    checkAllGone()
  }

  func add(_ client: SimulatedClient) { clients.append(client) }

  func forgetClients() {
    clients = []
    room.forgetGoneClients()
  }

  func nextID() -> UInt32 {
    lastID += 1
    return lastID
  }

  /// A payload that begins with an id.
  func bytes(_ id: UInt32, _ more: Int) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: id >> (UInt32($0) * 8)) } + Array(repeating: 0xAB, count: more)
  }

  func id(_ payload: [UInt8]) -> UInt32 {
    payload.prefix(4).enumerated().reduce(0) { $0 | UInt32($1.element) << (UInt32($1.offset) * 8) }
  }
}
