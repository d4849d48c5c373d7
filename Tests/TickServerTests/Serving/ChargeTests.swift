import RoomEngine
import Testing
import WireFormat

@testable import TickServer

extension ServingTests {
  @Suite("Who is charged")
  struct Charge {
    @Test("rooms whose players vanished do not keep others out, one connection at a time", arguments: [1, 2])
    func vanished(loops: Int) throws {
      try withServer(loops: loops, configure: { $0.maxRooms = 3 }) { test in
        for number in 0..<12 {
          let client = try test.member(of: "room-\(number)")
          client.reset()
          test.expectOpenConnections(0)
        }
        #expect(test.server.openRooms <= 3)
      }
    }

    @Test("a seat whose player is away counts as a connection of its address, but for who comes back to it")
    func absentCounts() throws {
      var limits = RoomLimits()
      limits.grace = .seconds(60)
      let ledger = try withServer(
        try TestRoom.kind(limits: limits), configure: { $0.maxConnectionsPerAddress = .atMost(2) }
      ) { test in
        let (ann, bob) = (try test.member(), try test.member())
        let points = try [ann, bob].map { try $0.resumePoint() }
        // As long as their seats are to wait.
        try bob.follow(for: 3)
        for client in [ann, bob] { client.reset() }
        test.expectOpenConnections(0)
        let newcomer = try test.connect()
        newcomer.send(Say.hello())
        try newcomer.expectGoodbye(.connectionLimit, "or kept for players who may come back")
        for point in points {
          let back = try test.connect()
          back.send(Say.hello(.resume(point)))
          try back.until(.welcome)
          // The older one may not be known to be gone: one connection more for each seat.
          let again = try test.connect()
          again.send(Say.hello(.resume(point)))
          try again.until(.welcome)
        }
      }
      #expect(ledger.closed[.connectionLimit] == 1)
      #expect(ledger.closed[.superseded] == 2)
    }
  }
}
