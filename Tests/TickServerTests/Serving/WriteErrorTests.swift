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
        let peer = try #require(client.serverEnd)
        let isBlocked = eventually { !TestClient.isWritable(peer) }
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
      let peer = try #require(client.serverEnd)
      #expect(Glibc.shutdown(peer, Int32(SHUT_WR)) == 0)
    }
  }
}
