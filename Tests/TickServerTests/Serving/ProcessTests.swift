import Foundation
import Glibc
import Testing
import WireFormat

@testable import TickServer

/// Free now, and nobody else is likely to take it at once.
private func freePort() throws -> Int {
  let server = try ChildProcess.tickserver()
  let port = try server.port()
  server.signal(SIGTERM)
  _ = try server.exit()
  return port
}

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

    @Test(
      "a standard descriptor that is closed is /dev/null, not the first client's socket",
      arguments: ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
    func closedDescriptors(redirect: String) throws {
      let port = try freePort()
      let server = try ChildProcess.tickserver(listen: "127.0.0.1:\(port)", shell: "exec \(redirect); ")
      var client: TestClient?
      _ = eventually {
        client = try? TestClient(port: port)
        return client != nil
      }
      let player = try #require(client)
      try player.hello()
      try player.join("r", kind: "arena")
      server.signal(SIGTERM)
      #expect(try player.farewell().code == CloseReason.draining.rawValue)
      player.close()
      #expect(try server.exit().code == 0)
    }

    @Test("SIGHUP that is ignored from the start stays ignored")
    func noHangUp() throws {
      let server = try ChildProcess.tickserver(shell: "trap '' HUP; ")
      let port = try server.port()
      server.signal(SIGHUP)
      pause(milliseconds: 100)
      try TestClient(port: port).hello()
      server.signal(SIGTERM)
      #expect(try server.exit().code == 0)
    }

    @Test("without /proc there are no arguments: it does not serve the defaults to everyone")
    func noProc() throws {
      let words = [
        "unshare", "-m", "sh", "-c",
        "mount -t tmpfs none /proc && exec \(try tickserverProgram()) --listen 127.0.0.1:any",
      ]
      let end = try ChildProcess(words).exit()
      // Not everyone may unshare, nor mount; and a sanitizer's own runtime needs /proc.
      guard !end.text.contains("unshare"), !end.text.contains("mount:"), !end.text.hasPrefix("==") else { return }
      #expect(end.code == 78)
      #expect(end.text.hasPrefix("error: /proc is not there"), "\(end.text)")
    }

    @Test("an IPv6 address is logged with brackets")
    func brackets() throws {
      let server = try ChildProcess.tickserver(listen: "[::1]:any")
      let line = try server.line { $0.contains("listening") }
      #expect(line.contains("[::1]:") || line.contains("EADDRNOTAVAIL"), "\(line)")
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

    @Test("with a lame duck the first signal waits for rooms, the second says goodbye, the third ends")
    func lameDuck() throws {
      let server = try ChildProcess.tickserver(["--set", "lameDuck=1h", "--set", "drain=10m"])
      let client = try TestClient(port: try server.port())
      try client.hello()
      try client.join("r", kind: "arena")
      server.signal(SIGTERM)
      let newcomer = try TestClient(port: try server.port())
      try newcomer.hello()
      // Until the signal has arrived.
      var refusal: JoinRefused?
      while refusal == nil {
        newcomer.send(Say.join("other", kind: "arena"))
        let next = try newcomer.next()
        let message = try #require(next)
        switch message.type {
        case .joinRefused: refusal = try JoinRefused(message.body.span)
        case .joined:
          newcomer.send(Say.leave())
          try newcomer.until(.left)
        default: break
        }
      }
      #expect(refusal?.code == JoinRefusal.draining.rawValue)
      #expect(client.hasEnded == false)
      server.signal(SIGINT)
      let goodbye = try client.farewell()
      #expect(goodbye.code == CloseReason.draining.rawValue)
      server.signal(SIGTERM)
      let end = try server.exit()
      #expect(end.code == 0, "\(end.text)")
      #expect(end.text.contains("by=SIGTERM"), "\(end.text)")
      #expect(end.text.contains("by=SIGINT"), "\(end.text)")
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
