import RoomEngine
import Testing
import WireFormat

@testable import TickServer

extension ServingTests {
  @Suite("What one client may ask for")
  struct Floods {
    @Test("who joins and leaves faster than allowed waits for its turn; nobody else does")
    func hops() throws {
      let ledger = try withServer(configure: {
        $0.joinsPerSecond = 2
        $0.joinBurst = 5
      }) { test in
        let calm = try test.welcomed()
        for hop in 0..<5 {
          try calm.join("calm-\(hop)")
          calm.send(Say.leave())
          try calm.until(.left)
        }
        let hopper = try test.welcomed()
        let began = monotonicSeconds()
        // At once, and to no room: that counts as well.
        hopper.send((0..<8).flatMap { _ in Say.join("r", kind: "unknown") })
        for _ in 0..<8 { try hopper.until(.joinRefused) }
        #expect(monotonicSeconds() - began > 0.9, "the sixth to the eighth come half a second after each other")
        calm.send(Say.ping(1))
        try calm.until(.pong)
      }
      #expect(ledger.closed == [.peerClosed: 2])
    }

    @Test("bytes beyond the rate are read later, whatever they are: here optional messages that nobody knows")
    func bytes() throws {
      let ledger = try withServer(configure: {
        $0.bytesPerSecond = .kib(64)
        $0.byteBurst = .kib(64)
      }) { test in
        let (client, other) = (try test.member(), try test.member())
        let avatar = try other.avatar()
        let began = monotonicSeconds()
        let ballast = Say.raw(MessageType.firstOptional, Array(repeating: 0, count: 8000))
        for _ in 0..<20 { client.send(ballast) }
        client.send(Say.ping(1))
        for step in 1...3 {
          other.move(avatar, to: Int32(step))
          try other.until(.inputAck)
        }
        try client.until(.pong)
        #expect(monotonicSeconds() - began > 1.2, "160,000 bytes at 64 KiB a second, 64 KiB at once")
      }
      #expect(Set(ledger.closed.keys).isSubset(of: [.peerClosed, .peerReset]))
    }

    @Test("what a connection may not send yet waits in its socket, not here")
    func memory() throws {
      try withServer(configure: {
        $0.bytesPerSecond = .kib(1)
        $0.byteBurst = .kib(64)
      }) { test in
        let flooders = try (0..<8).map { _ in try test.member() }
        let other = try test.member()
        let avatar = try other.avatar()
        let ballast = Say.raw(MessageType.firstOptional, Array(repeating: 0, count: 8000))
        for flooder in flooders { flooder.sendWithoutWaiting(Array(repeating: ballast, count: 100).flatMap { $0 }) }
        for step in 1...5 {
          other.move(avatar, to: Int32(step))
          try other.until(.inputAck)
        }
        // Each flooder is in debt for seconds: what it sent is with the kernel, which makes it wait.
        for flooder in flooders { #expect(flooder.unsentBytes > 500_000, "the server reads on") }
      }
    }

    @Test("a flood of inputs is no flood for others, and ends nobody")
    func inputs() throws {
      let ledger = try withServer { test in
        let (client, other) = (try test.member(), try test.member())
        let (own, others) = (try client.avatar(), try other.avatar())
        for step in 0..<2000 { client.move(own, to: Int32(step % 100)) }
        for step in 1...5 {
          other.move(others, to: Int32(step))
          try other.until(.inputAck)
        }
        client.move(own, to: 1234)
        try other.see(own, at: 1234)
        while client.lastAcknowledged != client.nextInput - 1 { try client.until(.inputAck) }
        #expect(client.inputsDropped > 0)
      }
      #expect(ledger.closed == [.peerClosed: 2])
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
