import RoomEngine
import Testing
import WireFormat

@testable import TickServer

extension ServingTests {
  @Suite("Members that fall behind")
  struct Lag {
    @Test("a member that stalls and reads again is up to date after one keyframe, and has every reliable event")
    func convergence() throws {
      var limits = RoomLimits()
      limits.frameLogFrames = 8
      limits.stallDeadline = .seconds(30)
      limits.lagDeadline = .seconds(60)
      let kind = try TestRoom.kind(traffic: .noise(16), limits: limits)
      try withServer(kind, configure: { $0.sendBuffer = .kib(4) }) { test in
        let healthy = try test.member()
        let laggard = try test.connect(receiveBytes: 4096)
        try laggard.hello()
        try laggard.join("r")
        let first = try #require(laggard.mirror).lastEvent
        // Far more frames than the log keeps, with events all along.
        for number in 0..<40 {
          healthy.send(Say.event([UInt8(number)]))
          try healthy.follow(for: 0.03)
        }
        try healthy.follow(until: { healthy.mirror?.lastEvent ?? 0 >= first + 40 })
        let end = try #require(healthy.mirror?.tick)
        // The events that a keyframe leaves out follow it in a message of their own.
        try laggard.follow(until: {
          let mirror = try #require(laggard.mirror)
          return try #require(mirror.tick) > end && mirror.lastEvent >= first + 40
        })
        let behind = try #require(laggard.mirror)
        #expect(behind.keyframes == 2, "one to begin with, one to catch up")
        #expect(behind.lastEvent == first + 40)
        #expect(behind.events == Array((first + 1)...(first + 40)))
        let tick = try #require(behind.tick)
        try healthy.follow(until: { try #require(healthy.mirror?.tick) >= tick })
        #expect(healthy.mirror?.hashes[tick] == behind.hashes[tick])
      }
    }

    @Test("members that never read again give back all that they held", arguments: [1, 2])
    func stalledForGood(loops: Int) throws {
      var limits = RoomLimits()
      limits.stallDeadline = .milliseconds(500)
      limits.lagDeadline = .seconds(1)
      let kind = try TestRoom.kind(traffic: .noise(16), limits: limits)
      let ledger = try withServer(kind, loops: loops, configure: { $0.sendBuffer = .kib(4) }) { test in
        let stalled = try (0..<8).map { number in
          let client = try test.connect(receiveBytes: 4096)
          client.send(Say.hello() + Say.join("r\(number % 3)"))
          return client
        }
        test.expectOpenConnections(8)
        // Their sockets are open here; only the server can have ended them.
        test.expectOpenConnections(0)
        withExtendedLifetime(stalled) {}
      }
      #expect(ledger.closed == [.slowConsumer: 8])
    }
  }
}
