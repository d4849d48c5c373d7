import RoomEngine
import TickServer
import WireFormat

/// A server of two loops and a handful of connections, told by the input what to say: well-formed messages, damaged
/// ones, any bytes; tickets of each other, pauses, silence, ends.
///
/// Whatever they say, every connection must be accounted for by one reason, and nothing may be left.
final class HandshakeProgram {
  private var input: FuzzInput
  private let server: EmbeddedServer
  private var peers: [HandshakePeer] = []
  private var isDraining = false
  private var faults: [String] = []

  private static let loops = 2
  private static let mostPeers = 6
  /// Bounds an execution: what an input of the fuzzer's length can ask for.
  private static let mostSteps = 200

  init(_ bytes: [UInt8]) throws {
    input = FuzzInput(bytes)
    let needsToken = input.byte() & 1 != 0
    var configuration = try Self.configuration.get()
    if needsToken { configuration.authentication = .tokens(["t"]) }
    server = try EmbeddedServer(configuration, loops: Self.loops)
  }

  private static let configuration = Result {
    var configuration = ServerConfiguration(rooms: [try room("plain"), try room("brief", tickRate: 10)])
    configuration.maxRooms = 3
    configuration.maxConnections = 5
    configuration.pingInterval = .seconds(1)
    configuration.idleDeadline = .seconds(2)
    configuration.handshakeDeadline = .seconds(1)
    configuration.drain = .seconds(1)
    configuration.memoryLimit = .bytes(.mib(64))
    try configuration.validate()
    return configuration
  }

  private static func room(_ name: String, tickRate: Int = 30) throws -> RoomKind {
    var limits = RoomLimits()
    limits.frameLogFrames = 4
    limits.backlogBytes = .kib(4)
    limits.inboxBytes = .kib(1)
    limits.messagesPerSecond = 20
    limits.messageBurst = 20
    limits.grace = .seconds(1)
    limits.linger = .milliseconds(500)
    return RoomKind(name, schema: try SampleSchema.make(), tickRate: tickRate, capacity: 3, limits: limits) {
      RelayLogic(grants: [RelayLogic.Grant(kind: SampleSchema.avatar, atJoin: 1, most: 2)])
    }
  }

  func run() throws -> [String] {
    var steps = 0
    while !input.isEmpty, steps < Self.mostSteps {
      try step()
      settle()
      steps += 1
    }
    for index in peers.indices { peers[index].close() }
    settle()
    let end = server.stop()
    faults += peers.flatMap(\.faults)
    if end.reports.count != Self.loops { faults.append("\(Self.loops - end.reports.count) loops are still held") }
    for report in end.reports { faults += report.faults }
    if end.reports.reduce(0, { $0 + $1.ledger.movedHere }) != end.reports.reduce(0, { $0 + $1.ledger.movedAway }) {
      faults.append("a connection was lost between loops")
    }
    if (end.connections, end.rooms, end.sessions) != (0, 0, 0) {
      faults.append("\(end.connections) connections, \(end.rooms) rooms and \(end.sessions) sessions are left")
    }
    return faults
  }

  /// A message may go from one loop to the other and be answered: three turns.
  private func settle() {
    for _ in 0..<3 { server.turn() }
    for index in peers.indices { peers[index].read() }
  }

  private func step() throws {
    let choice = input.below(14)
    if peers.isEmpty || choice == 0, peers.count < Self.mostPeers, !isDraining {
      return peers.append(HandshakePeer(descriptor: try server.connect(to: input.below(Self.loops))))
    }
    guard !peers.isEmpty else { return }
    let peer = input.below(peers.count)
    switch choice {
    case 1: peers[peer].send(hello())
    case 2, 3: peers[peer].send(join())
    case 4: peers[peer].send(framed(.leave, []))
    case 5: peers[peer].send(framed(.ping, [input.byte() & 0x7F]))
    case 6, 7: peers[peer].send(damagedMessage())
    case 8: peers[peer].send(input.take(1 + input.below(32)))
    case 9: peers[peer].isStalled.toggle()
    case 10: peers[peer].close()
    case 11: server.advance(byNanoseconds: 34_000_000)
    case 12: server.advance(byNanoseconds: UInt64(input.byte()) * 10_000_000)
    default:
      let way = input.below(8)
      guard way >= 6 else { return }
      isDraining = true
      if way == 7 { server.drain() } else { server.stop(withinNanoseconds: UInt64(input.byte() + 1) * 10_000_000) }
    }
  }

  // MARK: What is said

  private func hello() -> [UInt8] {
    let credential: Credential
    switch input.below(4) {
    case 0: credential = .none
    case 1: credential = .token(Array("t".utf8))
    default:
      let other = peers[input.below(peers.count)]
      // 16 bytes that no session has, for who was never welcomed.
      credential = .resume(
        ResumePoint(
          ticket: other.ticket ?? Array(repeating: 7, count: 16), lastTick: Tick(UInt32(input.byte())),
          lastEvent: UInt64(input.below(4)), lastWhisper: UInt64(input.below(2))))
    }
    let hello = Hello(credential: credential)
    return encodedBytes(bound: hello.bound + messageOverhead) { hello.encode(into: &$0) }
  }

  private func join() -> [UInt8] {
    let room = ["a", "b", "c", "d", "e f"][input.below(5)]
    let kind = ["plain", "brief", "plain", "none"][input.below(4)]
    let join = Join(room: room, roomKind: kind, schemaHash: UInt64(input.below(2)), strictSchema: input.below(4) == 3)
    return encodedBytes(bound: join.bound + messageOverhead) { join.encode(into: &$0) }
  }

  /// Any type with any body, framed: what passes the assembler.
  private func damagedMessage() -> [UInt8] {
    let types: [MessageType] = [.input, .event, .call, .input, .join, .pong, .hello, .welcome]
    let type = input.below(9)
    let body = input.take(input.below(48))
    guard type < types.count else { return framed(rawType: input.byte(), body) }
    return framed(types[type], body)
  }

  private func framed(_ type: MessageType, _ body: [UInt8]) -> [UInt8] { framed(rawType: type.rawValue, body) }

  private func framed(rawType: UInt8, _ body: [UInt8]) -> [UInt8] {
    encodedBytes(bound: body.count + messageOverhead) { $0.put(bytes: ([rawType] + body).span) }
  }
}
