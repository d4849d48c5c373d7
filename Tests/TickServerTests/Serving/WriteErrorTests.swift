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

    /// In a room where nothing happens, so that no later write can fail in its place.
    @Test("the failure of a write that had to wait ends the connection")
    func inFlight() throws {
      var limits = RoomLimits()
      limits.stallDeadline = .seconds(60)
      limits.lagDeadline = .seconds(60)
      limits.heartbeat = .seconds(60)
      let kind = try TestRoom.kind(tickRate: 10, limits: limits)
      let ledger = try withServer(kind, configure: { $0.sendBuffer = .kib(4) }) { test in
        let client = try test.connect(receiveBytes: 4096)
        try client.hello()
        try client.join("r")
        let peer = try #require(client.serverEnd)
        // Replies of one tick, more than both sockets take.
        let payload = [UInt8](repeating: 1, count: 1000)
        client.send((0..<24).flatMap { Say.call($0, TestRoom.Method.echo, payload) })
        let isBlocked = eventually { !TestClient.isWritable(peer) }
        #expect(isBlocked)
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
