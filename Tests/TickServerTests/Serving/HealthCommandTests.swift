import Foundation
import Glibc
import Testing

@testable import TickServer

@Suite("tickserver health", .serialized)
struct HealthCommandTests {
  private func health(_ arguments: String...) throws -> (code: Int32, text: String) {
    try ChildProcess([try tickserverProgram(), "health"] + arguments).exit()
  }

  @Test("a serving server is well, for /livez and /readyz, and in the words of its own answer")
  func well() throws {
    let port = try freePort()
    let server = try ChildProcess.tickserver(admin: "\(port)")
    _ = try server.port()
    #expect(try health("--set", "admin.port=\(port)") == (0, "live\n"))
    #expect(try health("--ready", "--set", "admin.port=\(port)") == (0, "ready\n"))
    server.signal(SIGTERM)
    #expect(try server.exit().code == 0)
  }

  @Test("a server that listens everywhere is asked on loopback")
  func wildcard() throws {
    var admin = AdminConfiguration()
    admin.host = "0.0.0.0"
    #expect(HealthProbe(admin, path: "/livez")?.host == "127.0.0.1")
    admin.host = "::"
    #expect(HealthProbe(admin, path: "/livez")?.host == "::1")
  }

  @Test("where nobody listens the answer is 1, with what was asked")
  func nobody() throws {
    let port = try freePort()
    let (code, text) = try health("--set", "admin.port=\(port)")
    #expect(code == 1)
    #expect(text.contains("connect 127.0.0.1:\(port): ECONNREFUSED"))
  }

  @Test("a peer that takes the question and says nothing is not waited for longer than a health check lasts")
  func silent() throws {
    let listener = try TestListener()
    let (code, text) = try health("--set", "admin.port=\(listener.port)")
    #expect(code == 1)
    #expect(text.contains("ETIMEDOUT"))
  }

  @Test("a port that cannot be known is a wrong configuration", arguments: ["any", "off"])
  func unknown(port: String) throws {
    let (code, text) = try health("--set", "admin.port=\(port)")
    #expect(code == 78)
    #expect(text.contains("admin.port is not a number"))
  }

  @Test(
    "what is not well is told",
    arguments: [
      ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nlive\n", true, "live"),
      ("HTTP/1.1 503 Service Unavailable\r\n\r\ndraining\nticks stopped\n", false, "draining; ticks stopped"),
      ("HTTP/1.1 503 Service Unavailable\r\n\r\n", false, "status 503"),
      ("TICK\u{1}\r\n", false, "what answered is not an admin port: TICK\\u{1}"),
      ("", false, "what answered is not an admin port: "),
    ])
  func verdict(answer: String, isWell: Bool, text: String) {
    let verdict = HealthProbe.verdict(Array(answer.utf8))
    #expect(verdict.isWell == isWell)
    #expect(verdict.text == text)
  }
}

/// Accepts by its backlog alone, and never reads.
private final class TestListener {
  let port: Int
  private let socket: Int32

  init() throws {
    (socket, port) = try listeningSocket()
  }

  deinit { close(socket) }
}

/// Free now; nobody else on this machine is likely to take it within the test.
private func freePort() throws -> Int {
  let (socket, port) = try listeningSocket()
  close(socket)
  return port
}

private func listeningSocket() throws -> (socket: Int32, port: Int) {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_addr.s_addr = inet_addr("127.0.0.1")
  var count = socklen_t(MemoryLayout<sockaddr_in>.size)
  let bound = withUnsafeMutablePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      bind(descriptor, $0, count) == 0 && listen(descriptor, 8) == 0 && getsockname(descriptor, $0, &count) == 0
    }
  }
  guard bound else { throw ClientFault("listen: errno \(errno)") }
  return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
}
