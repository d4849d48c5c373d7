import EventLoop
import Glibc
import RoomEngine
import TickServer
import WireFormat

/// A whole server in this process and a room full of clients, who hold the other ends of its sockets.
package final class ServedRoom {
  private let server: EmbeddedServer
  private let wire: LocalWire
  private var clients: [Int32] = []
  /// What each client reads, to answer the server's pings: who answers none is served as a slow member.
  private var readers: [MessageAssembler] = []
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 16)
  /// Bytes read by clients so far.
  private(set) var received = 0

  static let kind = "room"
  /// One tick of 1/30 s, and never less.
  private static let tickNanoseconds: UInt64 = 33_333_334

  /// Rules under which no client of a measurement is ever too fast.
  static func limits() -> RoomLimits {
    var limits = RoomLimits()
    limits.messagesPerSecond = 100_000
    limits.messageBurst = 100_000
    limits.inboxBytes = .mib(1)
    limits.admissionsPerTick = 1000
    return limits
  }

  static func relay(capacity: Int) throws -> RoomKind {
    let grant = RelayLogic.Grant(kind: Walking.avatar, atJoin: 1, most: 1)
    return RoomKind(
      kind, schema: try Walking.schema(capacity: capacity * 2), capacity: capacity, limits: limits()
    ) { RelayLogic(grants: [grant]) }
  }

  init(_ kind: RoomKind, members: Int, wire: LocalWire = .socketPair) throws {
    self.wire = wire
    var configuration = ServerConfiguration(rooms: [kind])
    configuration.maxConnections = members + 10
    configuration.memoryLimit = .unlimited
    configuration.bytesPerSecond = .mib(64)
    configuration.byteBurst = .mib(64)
    configuration.joinsPerSecond = 100_000
    configuration.joinBurst = 100_000
    server = try EmbeddedServer(configuration)
    for member in 0..<members {
      try join()
      if member % 16 == 15 { drain() }
    }
    settle()
  }

  deinit {
    for client in clients { close(client) }
    _ = server.stop()
    buffer.deallocate()
  }

  var members: Int { clients.count }

  var membersReadAtTicks: Int { server.membersReadAtTicks }

  /// Seats one more member; `meter` encloses what the server does for it.
  func join(_ meter: Meter = { $0() }) throws {
    var client: Int32 = -1
    var failure: (any Error)?
    meter {
      do { client = try server.connect(to: 0, over: wire) } catch { failure = error }
    }
    if let failure { throw failure }
    clients.append(client)
    readers.append(MessageAssembler(limit: WireLimits.serverMessageBytes))
    try send(encodedBytes(bound: 64) { Hello().encode(into: &$0) }, from: clients.count - 1)
    meter { server.turn() }
    let join = Join(room: "r", roomKind: Self.kind, schemaHash: 0)
    try send(encodedBytes(bound: 128) { join.encode(into: &$0) }, from: clients.count - 1)
    meter { server.turn() }
    tick(meter)
    let before = received
    drain(clients.count - 1)
    // A Welcome alone is much smaller than a Joined with its schema.
    guard received - before > 100 else { throw UnitFailure("a member was not seated") }
  }

  /// The member that came last goes, and its seat with it.
  func leaveLast() {
    guard let client = clients.popLast() else { return }
    readers.removeLast()
    let leave = encodedBytes(bound: 8) { $0.put(empty: .leave) }
    _ = leave.withUnsafeBytes { write(client, $0.baseAddress, $0.count) }
    server.turn()
    tick()
    close(client)
    server.turn()
    server.turn()
  }

  func send(_ message: [UInt8], from member: Int) throws {
    let sent = message.withUnsafeBytes { write(clients[member], $0.baseAddress, $0.count) }
    guard sent == message.count else { throw UnitFailure("write: \(sent) of \(message.count) bytes, errno \(errno)") }
  }

  /// What has arrived is read.
  func turn(_ meter: Meter = { $0() }) {
    meter { server.turn() }
  }

  /// The next tick is run and delivered.
  func tick(_ meter: Meter = { $0() }) {
    meter { server.advance(byNanoseconds: Self.tickNanoseconds, sweeps: false) }
  }

  /// Nothing is on its way any more.
  func settle() {
    drain()
    server.turn()
    drain()
  }

  /// Clients read what has come, so that no socket ever blocks.
  func drain() {
    for member in clients.indices { drain(member) }
  }

  private func drain(_ member: Int) {
    while true {
      let count = read(clients[member], buffer.baseAddress, buffer.count)
      guard count > 0 else { return }
      received += count
      answerPings(member, count)
    }
  }

  private func answerPings(_ member: Int, _ count: Int) {
    let read = UnsafeRawBufferPointer(start: UnsafeRawPointer(buffer.baseAddress), count: count)
    let bytes = Span<UInt8>(_unsafeBytes: read)
    let limit = WireLimits.serverMessageBytes
    _ = try? readers[member].feed(bytes) { type, body in
      if type == MessageType.ping.rawValue, let token = try? Ping.token(body) {
        try? send(encodedBytes(bound: 32) { Pong(token: token, timeMicroseconds: 0).encode(into: &$0) }, from: member)
      }
      return .limit(limit)
    }
  }
}
