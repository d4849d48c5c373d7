import Glibc
import RoomEngine
import Testing
import WireFormat

@testable import TickServer

extension ServingTests {
  @Suite("Writes that fail")
  struct WriteErrors {
    @Test("a write that fails at once ends the connection")
    func atOnce() throws {
      let ledger = try withServer(try TestRoom.kind(traffic: .clock)) { test in
        let client = try test.member()
        try breakWrites(to: client)
        test.expectOpenConnections(0)
      }
      #expect(ledger.closed == [.writeFailed: 1])
    }

    @Test("the failure of a write that had to wait ends the connection")
    func inFlight() throws {
      var limits = RoomLimits()
      limits.stallDeadline = .seconds(60)
      limits.lagDeadline = .seconds(60)
      let kind = try TestRoom.kind(traffic: .noise(16), limits: limits)
      let ledger = try withServer(kind, configure: { $0.sendBuffer = .kib(4) }) { test in
        let client = try test.connect(receiveBytes: 4096)
        try client.hello()
        try client.join("r")
        let peer = try #require(serverEnd(of: client))
        let isBlocked = eventually { !isWritable(peer) }
        #expect(isBlocked)
        // The member is a laggard only after the tick that finds the socket full.
        pause(milliseconds: 200)
        try breakWrites(to: client)
        test.expectOpenConnections(0)
      }
      #expect(ledger.closed == [.writeFailed: 1])
    }

    /// Ends the server's sending direction behind its back: it reads on, and its next write is an error.
    private func breakWrites(to client: TestClient) throws {
      let peer = try #require(serverEnd(of: client))
      #expect(Glibc.shutdown(peer, Int32(SHUT_WR)) == 0)
    }

    /// The server is in this process, and so is its end of the connection: the one whose peer is the client.
    private func serverEnd(of client: TestClient) -> Int32? {
      guard let own = port(of: client.descriptor, getsockname) else { return nil }
      return (0..<1024).first { $0 != client.descriptor && port(of: $0, getpeername) == own }
    }

    private func port(
      of descriptor: Int32,
      _ name: (Int32, UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<socklen_t>?) -> Int32
    ) -> UInt16? {
      var address = sockaddr_in()
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let result = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name(descriptor, $0, &length) }
      }
      return result == 0 && address.sin_family == sa_family_t(AF_INET) ? UInt16(bigEndian: address.sin_port) : nil
    }

    private func isWritable(_ descriptor: Int32) -> Bool {
      var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      return Glibc.poll(&poll, 1, 0) > 0 && poll.revents & Int16(POLLOUT) != 0
    }
  }
}
