import Foundation
import Glibc
import Testing
import WireFormat

@testable import TickServer

extension ServingTests {
  @Suite("The program as a process")
  struct Processes {
    @Test("SIGTERM, SIGINT and SIGHUP say goodbye to clients and end with 0", arguments: [SIGTERM, SIGINT, SIGHUP])
    func signals(signal: Int32) throws {
      let server = try ChildProcess.tickserver()
      let client = try TestClient(port: try server.port())
      try client.hello()
      try client.join("r", kind: "arena")
      server.signal(signal)
      let goodbye = try client.farewell()
      #expect(goodbye.code == CloseReason.draining.rawValue)
      #expect((500...5500).contains(goodbye.retryAfterMilliseconds ?? 0))
      client.close()
      let end = try server.exit()
      #expect(end.code == 0, "\(end.text)")
      #expect(end.text.contains("stopped"), "\(end.text)")
    }

    @Test("a second signal ends it at once")
    func secondSignal() throws {
      let server = try ChildProcess.tickserver(["--set", "drain=10m"])
      // Never ends its side, so that the drain would go on.
      let client = try TestClient(port: try server.port())
      try client.hello()
      server.signal(SIGTERM)
      _ = try client.farewell()
      server.signal(SIGTERM)
      let end = try server.exit()
      #expect(end.code == 0, "\(end.text)")
    }

    @Test("a port that is taken, by another server or by anybody, is told in one line")
    func portInUse() throws {
      let first = try ChildProcess.tickserver()
      let port = try first.port()
      let end = try ChildProcess.tickserver(listen: "127.0.0.1:\(port)").exit()
      #expect(end.code == 1)
      #expect(
        end.text == "error: bind 127.0.0.1:\(port): EADDRINUSE address already in use\n")
    }

    @Test("an address that is not this machine's is told in one line")
    func badAddress() throws {
      let end = try ChildProcess.tickserver(listen: "192.0.2.1:any").exit()
      #expect(end.code == 1)
      #expect(end.text.hasPrefix("error: bind 192.0.2.1:0: EADDRNOTAVAIL"), "\(end.text)")
      #expect(end.text.split(separator: "\n").count == 1, "\(end.text)")
    }

    @Test("too few descriptors are told in one line, with the setting and the limit")
    func descriptors() throws {
      let end = try ChildProcess.tickserver(["--set", "maxConnections=1000", "--loops", "2"], shell: "ulimit -n 256; ")
        .exit()
      #expect(end.code == 1)
      #expect(
        end.text == "error: maxConnections 1000 needs 1112 descriptors, the system allows 256: lower maxConnections to "
          + "144 or raise the limit (ulimit -n, --ulimit nofile)\n")
      let enough = try ChildProcess.tickserver(
        ["--set", "maxConnections=144", "--loops", "2"], shell: "ulimit -n 256; ")
      _ = try enough.port()
    }

    @Test("the soft limit of descriptors is raised as far as needed")
    func softLimit() throws {
      let server = try ChildProcess.tickserver(["--set", "maxConnections=200"], shell: "ulimit -Sn 64; ")
      let port = try server.port()
      let clients = try (0..<100).map { _ in try TestClient(port: port) }
      for client in clients { try client.hello() }
    }

    @Test("--log-format json writes one JSON object a line")
    func json() throws {
      let server = try ChildProcess.tickserver(["--log-format", "json", "--log-level", "trace"])
      let client = try TestClient(port: try server.port())
      try client.hello()
      try client.join("r", kind: "arena")
      client.send(Say.raw(0x7F))
      try client.expectGoodbye(.unknownMessage, "127")
      client.close()
      server.signal(SIGTERM)
      let end = try server.exit()
      let lines = end.text.split(separator: "\n")
      #expect(lines.count >= 4, "\(end.text)")
      for line in lines {
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
        #expect(object is [String: Any], "\(line)")
      }
      #expect(end.text.contains("unknownMessage"), "\(end.text)")
    }
  }
}
