import RoomEngine
import Testing
import WireFormat

@testable import TickServer

extension ServingTests {
  @Suite("Rooms on several loops")
  struct Moves {
    @Test("a connection moves to its room with all it has sent so far")
    func pipelined() throws {
      let ledger = try withServer(loops: 2) { test in
        for number in 0..<12 {
          let client = try test.connect()
          // More than one read may bring, and the largest message that is allowed only after Welcome.
          let large = Say.raw(0x80, Array(repeating: 0, count: 16_000))
          client.send(
            Say.hello() + Say.ping(1) + Say.join("room-\(number)") + Say.call(1, TestRoom.Method.echo, [1]) + large
              + Say.call(2, TestRoom.Method.echo, [2]) + large + Say.ping(2) + Say.call(3, TestRoom.Method.echo, [3]))
          for expected in UInt8(1)...3 { #expect(try client.until(.reply).body.last == expected) }
          #expect(client.seen.count { $0 == .pong } == 2)
          client.send(Say.raw(0x80, Array(repeating: 0, count: 16_383)))
          client.send(Say.ping(3))
          try client.until(.pong)
          client.send(Say.raw(0x80, Array(repeating: 0, count: 16_384)))
          try client.expectGoodbye(.messageTooLarge, "16385 bytes, at most 16384")
        }
      }
      #expect(ledger.movedAway > 0, "no connection had to move")
      #expect(ledger.closed == [.messageTooLarge: 12])
    }

    @Test("a connection may go from room to room, whatever loop they live on")
    func wander() throws {
      let ledger = try withServer(try TestRoom.kind(tickRate: 128), loops: 2) { test in
        let wanderers = try (0..<4).map { _ in try test.welcomed() }
        for step in 0..<10 {
          for (index, client) in wanderers.enumerated() {
            try client.join("room-\((index + step) % 5)")
            client.nextInput = 1
            client.move(try client.avatar(), to: Int32(step))
            try client.until(.inputAck)
            client.send(Say.leave())
            try client.until(.left)
          }
        }
      }
      #expect(ledger.movedAway > 0, "no connection had to move")
      #expect(ledger.accepted == 4)
      #expect(ledger.closed == [.peerClosed: 4])
    }

    @Test("whoever moves from loop to loop keeps to the same message rate")
    func rate() throws {
      var limits = RoomLimits()
      (limits.messagesPerSecond, limits.messageBurst) = (20, 10)
      let ledger = try withServer(
        try TestRoom.kind(tickRate: 128, limits: limits), loops: 2,
        configure: {
          $0.joinsPerSecond = 1000
          $0.joinBurst = 1000
        }
      ) { test in
        let client = try test.welcomed()
        let began = monotonicSeconds()
        // The rooms linger, so they stay on different loops.
        for step in 0..<30 {
          client.send(Say.join("room-\(step % 2)") + Say.leave())
          try client.until(.left)
        }
        #expect(monotonicSeconds() - began > 0.9, "30 joins, 10 at once")
      }
      #expect(ledger.movedAway > 2, "the connection did not have to move")
      #expect(ledger.closed == [.peerClosed: 1])
    }

    /// A connection that reads nothing can't move before its write in flight is done; its room waits for it meanwhile.
    @Test("who ends on the way to another loop gives up its claim on the room there")
    func stuck() throws {
      var limits = RoomLimits()
      limits.stallDeadline = .seconds(1)
      let ledger = try withServer(
        try TestRoom.kind(limits: limits), loops: 2,
        configure: {
          $0.sendBuffer = .kib(4)
          $0.handshakeDeadline = .seconds(2)
          $0.joinBurst = 1000
        }
      ) { test in
        let clients = try (0..<8).map { _ in try test.connect(receiveBytes: 4096) }
        for (number, client) in clients.enumerated() {
          client.send(Say.hello())
          try client.until(.welcome)
          let peer = try #require(client.serverEnd)
          // Refusals that nobody reads; the last few wait in the server.
          let refused = Say.join(String(repeating: "?", count: 500))
          for _ in 0..<100 where TestClient.isWritable(peer) {
            client.send(refused)
            pause(milliseconds: 5)
          }
          client.send((0..<12).flatMap { _ in refused } + Say.join("room-\(number)"))
        }
        test.expectOpenConnections(0)
      }
      // Those that were on the right loop already got a seat, and lost it as slow consumers.
      #expect(ledger.closed[.handshakeTimeout, default: 0] > 0, "\(ledger.closed)")
    }

    @Test("clients of one room share it from wherever the kernel put them")
    func together() throws {
      try withServer(loops: 2) { test in
        let clients = try (0..<8).map { _ in try test.member(of: "shared") }
        #expect(Set(clients.compactMap { $0.joined?.player }).count == 8)
        let first = try #require(clients.first)
        let avatar = try first.avatar()
        first.move(avatar, to: 4321)
        for client in clients.dropFirst() {
          try client.see(avatar, at: 4321)
        }
      }
    }
  }
}
