import RoomEngine
import Testing
import WireFormat

@testable import TickServer

extension ServingTests {
  @Suite("What one client may ask for")
  struct Floods {
    @Test("who joins and leaves faster than allowed is ended; who keeps to the pace hops as long as it likes")
    func hops() throws {
      let ledger = try withServer(configure: {
        $0.joinsPerSecond = 1
        $0.joinBurst = 5
      }) { test in
        let calm = try test.welcomed()
        for hop in 0..<5 {
          try calm.join("calm-\(hop)")
          calm.send(Say.leave())
          try calm.until(.left)
        }
        let hopper = try test.welcomed()
        // At once, and to no room: that counts as well.
        hopper.send((0..<6).flatMap { _ in Say.join("r", kind: "unknown") })
        try hopper.expectGoodbye(.rateLimited, "more than 1 joins a second (5 at once)")
        calm.send(Say.ping(1))
        try calm.until(.pong)
      }
      #expect(ledger.closed == [.rateLimited: 1, .peerClosed: 1])
    }

    @Test("bytes beyond the rate end the connection, whatever they are: here optional messages that nobody knows")
    func bytes() throws {
      let ledger = try withServer(configure: {
        $0.bytesPerSecond = .kib(1)
        $0.byteBurst = .kib(64)
      }) { test in
        let client = try test.member()
        let ballast = Say.raw(MessageType.firstOptional, Array(repeating: 0, count: 8000))
        for _ in 0..<9 { client.send(ballast) }
        try client.expectGoodbye(.rateLimited, "more than 1KiB a second (64KiB at once)")
      }
      #expect(ledger.closed == [.rateLimited: 1])
    }

    @Test("a room that nobody is in makes way when no further room can be opened")
    func rooms() throws {
      var limits = RoomLimits()
      limits.linger = .seconds(3600)
      let kind = try TestRoom.kind(limits: limits)
      try withServer(
        kind,
        configure: {
          $0.maxRooms = 2
          $0.joinBurst = 10000
        }
      ) { test in
        let hopper = try test.welcomed()
        for hop in 0..<2 {
          try hopper.join("left-\(hop)")
          hopper.send(Say.leave())
          try hopper.until(.left)
        }
        let other = try test.welcomed()
        let isIn = eventually {
          other.send(Say.join("wanted"))
          while let message = try? other.next() {
            if message.type == .joined { return true }
            if message.type == .joinRefused { return false }
          }
          return false
        }
        #expect(isIn, "rooms without anyone keep all others out")
      }
    }

    /// Ids rest for the length of the frame log: by hopping in and out, one client would take them all.
    @Test("a client that hops in and out of one room leaves places for others")
    func ids() throws {
      let kind = try TestRoom.kind(capacity: 2)
      try withServer(
        kind,
        configure: {
          $0.joinsPerSecond = 1000
          $0.joinBurst = 1000
        }
      ) { test in
        let hopper = try test.welcomed()
        for _ in 0..<20 {
          try hopper.join("r")
          hopper.send(Say.leave())
          try hopper.until(.left)
        }
        let other = try test.member()
        other.send(Say.ping(1))
        try other.until(.pong)
      }
    }
  }
}
