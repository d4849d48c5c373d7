import Glibc
import RoomEngine
import Testing
import WireFormat

@testable import EventLoop
@testable import TickServer

extension ServingTests {
  /// Clients that leave bytes behind: what becomes of them is asked of the admin port and of the client's own socket.
  @Suite("What outlives a close")
  struct Remains {
    /// A member that has stopped reading, with some KiB for it in the server's socket and no write in flight.
    private func stuckMember(_ test: TestServer) throws -> TestClient {
      let client = try test.connect(receiveBytes: 2048)
      try client.hello()
      try client.join("r")
      let end = try #require(client.serverEnd)
      let isFilled = eventually { SocketDescriptor(owning: end).unsentBytes > 3000 }
      #expect(isFilled)
      return client
    }

    /// Frames of some 100 bytes, so that the socket is not full before the test looks.
    private func kind(stall: Duration) throws -> RoomKind {
      var limits = RoomLimits()
      limits.stallDeadline = stall
      limits.lagDeadline = .seconds(60)
      return try TestRoom.kind(traffic: .noise(2), limits: limits)
    }

    @Test(
      "who half-closes and reads nothing stays in the books with its bytes, then is reset", arguments: [false, true])
    func halfClosed(isTold: Bool) throws {
      let ledger = try withServer(kind(stall: .seconds(3))) { test in
        let client = try stuckMember(test)
        if isTold { client.send(Say.raw(0x7F)) }
        client.shutdownWriting()
        let isInBooks = eventually {
          let total = test.server.total
          return total.census.closing == 1 && total.census.closingUnsentBytes > 2000 && total.census.open == 0
        }
        #expect(isInBooks)
        // Its place is taken until then.
        #expect(test.server.openConnections == 1)
        test.expectOpenConnections(0)
        let total = test.server.total
        #expect(total.census.closingUnsentBytes == 0 || total.census.closing > 0)
      }
      #expect(ledger.closed == [isTold ? .unknownMessage : .peerClosed: 1])
    }

    @Test("who half-closes and reads to the end gets all that was queued, and an end of stream")
    func readsToTheEnd() throws {
      let ledger = try withServer(kind(stall: .seconds(10))) { test in
        let client = try stuckMember(test)
        client.send(Say.leave())
        client.shutdownWriting()
        let isClosing = eventually { test.server.total.census.closing == 1 }
        #expect(isClosing)
        var bytes = [UInt8](repeating: 0, count: 4096)
        var count = recv(client.descriptor, &bytes, bytes.count, 0)
        while count > 0 { count = recv(client.descriptor, &bytes, bytes.count, 0) }
        #expect(count == 0, "reset: errno \(errno)")
        test.expectOpenConnections(0)
      }
      #expect(ledger.closed == [.peerClosed: 1])
    }
  }
}
