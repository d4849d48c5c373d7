import Glibc
import Logging
import RoomEngine
import Testing
import WireFormat

@testable import TickServer

/// A server in this process and the clients of one test.
final class TestServer {
  let server: Server
  private var clients: [TestClient] = []

  fileprivate init(_ configuration: ServerConfiguration, readMemory: MemoryMonitor.Read?) throws {
    var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    logger.logLevel = .critical
    server = try Server.start(configuration, handlesSignals: false, logger: logger, readMemory: readMemory)
  }

  func connect(receiveBytes: Int? = nil) throws -> TestClient {
    let client = try TestClient(port: server.port, receiveBytes: receiveBytes)
    clients.append(client)
    return client
  }

  /// A client that has been welcomed.
  func welcomed(_ credential: Credential = .none) throws -> TestClient {
    let client = try connect()
    try client.hello(credential)
    return client
  }

  /// A client in a room, with its keyframe.
  func member(of room: String = "r", kind: String = "test") throws -> TestClient {
    let client = try welcomed()
    try client.join(room, kind: kind)
    return client
  }

  /// Waits until so many connections are open, those in a goodbye included.
  func expectOpenConnections(_ count: Int, sourceLocation: SourceLocation = #_sourceLocation) {
    let isSo = eventually { server.openConnections == count }
    #expect(isSo, "\(server.openConnections) connections are open, not \(count)", sourceLocation: sourceLocation)
  }

  fileprivate func closeClients() {
    for client in clients { client.close() }
  }
}

/// Runs a server on a free port of the loopback interface and checks, when `body` and all its clients are gone, that
/// nothing is left: no connection, no descriptor, no buffer, no room, and that every connection is accounted for by one
/// reason.
@discardableResult
func withServer(
  _ kinds: RoomKind..., loops: Int = 1, sourceLocation: SourceLocation = #_sourceLocation,
  configure: (inout ServerConfiguration) -> Void = { _ in }, readMemory: MemoryMonitor.Read? = nil,
  body: (TestServer) throws -> Void
) throws -> Ledger {
  let before = openDescriptors()
  var configuration = ServerConfiguration(rooms: kinds.isEmpty ? [try TestRoom.kind()] : kinds)
  configuration.host = "127.0.0.1"
  configuration.port = .any
  configuration.loops = .count(loops)
  configuration.admin.port = .off
  configure(&configuration)
  let running = try TestServer(configuration, readMemory: readMemory)
  do {
    try body(running)
  } catch {
    Issue.record(error, sourceLocation: sourceLocation)
  }
  running.closeClients()
  running.expectOpenConnections(0, sourceLocation: sourceLocation)
  running.server.stop()
  let reports = running.server.stopped()
  #expect(reports.count == loops, "a loop that has ended is still held", sourceLocation: sourceLocation)
  var ledger = Ledger()
  for report in reports {
    #expect(report.faults.isEmpty, "\(report.faults)", sourceLocation: sourceLocation)
    #expect(report.pool.leasedBytes == 0, "\(report)", sourceLocation: sourceLocation)
    ledger.add(report.ledger)
  }
  #expect(ledger.movedAway == ledger.movedHere, "\(reports)", sourceLocation: sourceLocation)
  #expect(running.server.openRooms == 0, sourceLocation: sourceLocation)
  #expect(running.server.chargesNobody, "something is still charged to an address", sourceLocation: sourceLocation)
  #expect(running.server.seatedSessions == 0, sourceLocation: sourceLocation)
  var leaked: [String] = []
  let isClean = eventually {
    leaked = added(to: before, in: openDescriptors())
    return leaked.isEmpty
  }
  #expect(isClean, "left open: \(leaked)", sourceLocation: sourceLocation)
  return ledger
}

/// Whether `condition` comes true before patience ends.
func eventually(_ condition: () -> Bool) -> Bool {
  let deadline = monotonicSeconds() + TestClient.patienceSeconds
  while monotonicSeconds() < deadline {
    if condition() { return true }
    pause(milliseconds: 5)
  }
  return condition()
}

/// Descriptors that a server opens: sockets, timers, event queues. Tests beside this one may open files and pipes.
private func openDescriptors() -> [String] {
  guard let directory = opendir("/proc/self/fd") else { return [] }
  defer { closedir(directory) }
  var found: [String] = []
  while let entry = readdir(directory) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    var target = [UInt8](repeating: 0, count: 256)
    let count = target.withUnsafeMutableBytes { bytes in
      bytes.withMemoryRebound(to: CChar.self) { readlink("/proc/self/fd/\(name)", $0.baseAddress!, $0.count) }
    }
    let text = String(decoding: target.prefix(max(0, count)), as: UTF8.self)
    if text.hasPrefix("socket:") || text.hasPrefix("anon_inode:") { found.append(text) }
  }
  return found
}

private func added(to before: [String], in now: [String]) -> [String] {
  var rest = before
  return now.filter { name in
    guard let index = rest.firstIndex(of: name) else { return true }
    rest.remove(at: index)
    return false
  }
}
