import RoomEngine
import Testing
import WireFormat

@testable import TickServer

extension ServingTests {
  @Suite("Resuming a session")
  struct Resume {
    @Test("an unknown ticket is refused")
    func unknownTicket() throws {
      try withServer { test in
        let client = try test.connect()
        let point = ResumePoint(
          ticket: Array(repeating: 1, count: 16), lastTick: Tick(1), lastEvent: 0, lastWhisper: 0)
        client.send(Say.hello(.resume(point)))
        try client.expectGoodbye(.ticketUnknown, "join anew")
      }
    }

    @Test("a ticket is worth nothing before a seat and after Leave")
    func withoutSeat() throws {
      try withServer { test in
        let client = try test.welcomed()
        let ticket = try #require(client.welcome).ticket
        func refused() throws {
          let other = try test.connect()
          other.send(Say.hello(.resume(ResumePoint(ticket: ticket, lastTick: Tick(0), lastEvent: 0, lastWhisper: 0))))
          try other.expectGoodbye(.ticketUnknown, "join anew")
        }
        try refused()
        try client.join("r")
        client.send(Say.leave())
        try client.until(.left)
        try refused()
      }
    }

    @Test("after the grace period the seat is gone")
    func graceIsOver() throws {
      var limits = RoomLimits()
      limits.grace = .milliseconds(200)
      try withServer(try TestRoom.kind(capacity: 1, limits: limits)) { test in
        let client = try test.member()
        let point = try client.resumePoint()
        client.reset()
        test.expectOpenConnections(0)
        // The only seat is free again once the grace is over.
        let isFree = eventually {
          guard let next = try? test.welcomed() else { return false }
          next.send(Say.join("r"))
          let answer = try? next.next()
          defer { next.close() }
          return answer?.type == .joined
        }
        #expect(isFree)
        let late = try test.connect()
        late.send(Say.hello(.resume(point)))
        try late.expectGoodbye(.ticketUnknown, "join anew")
      }
    }

    @Test("a client that claims events it can't have seen is stale")
    func stale() throws {
      try withServer { test in
        let client = try test.member()
        var point = try client.resumePoint()
        point.lastEvent += 1000
        client.reset()
        test.expectOpenConnections(0)
        let back = try test.connect()
        back.send(Say.hello(.resume(point)))
        try back.expectGoodbye(.ticketStale, "join anew")
      }
    }

    @Test("a lost client comes back to its seat and misses nothing", arguments: [1, 2])
    func resume(loops: Int) throws {
      try withServer(try TestRoom.kind(traffic: .clock), loops: loops) { test in
        let witness = try test.member()
        for round in 0..<4 {
          let lost = try test.member()
          let avatar = try lost.avatar()
          lost.move(avatar, to: Int32(round))
          try lost.until(.inputAck)
          let point = try lost.resumePoint()
          lost.reset()
          witness.send(Say.event([1]) + Say.event([2]))
          try witness.until(.frame)
          let back = try test.connect()
          back.knownSchema = lost.knownSchema
          back.mirror = lost.mirror
          back.send(Say.hello(.resume(point)))
          try back.until(.joined)
          // The limit that Welcome told holds, wherever the connection was welcomed.
          back.send(Say.raw(0x80, Array(repeating: 0, count: 16_000)) + Say.ping(1))
          try back.until(.pong)
          let joined = try #require(back.joined)
          #expect(joined.isResumed)
          #expect(joined.player == lost.joined?.player)
          #expect(joined.generation == lost.joined?.generation)
          #expect(back.welcome?.session == lost.welcome?.session)
          #expect(back.welcome?.ticket == lost.welcome?.ticket)
          #expect(try #require(back.mirror).keyframes == 1)
          try agree(back, witness)
          back.nextInput = lost.nextInput
          back.move(avatar, to: 77)
          try witness.see(avatar, at: 77)
          try agree(back, witness)
          #expect(back.mirror?.lastEvent == witness.mirror?.lastEvent)
          back.send(Say.leave())
          try back.until(.left)
        }
      }
    }

    @Test("a resume ends the older connection, which can't touch the seat any more")
    func superseded() throws {
      let ledger = try withServer { test in
        let older = try test.member()
        let avatar = try older.avatar()
        let point = try older.resumePoint()
        let newer = try test.connect()
        newer.mirror = older.mirror
        newer.send(Say.hello(.resume(point)))
        try newer.until(.joined)
        try older.expectGoodbye(.superseded, "another connection")
        older.close()
        newer.move(avatar, to: 9)
        try newer.until(.inputAck)
        try newer.see(avatar, at: 9)
      }
      #expect(ledger.closed == [.superseded: 1, .peerClosed: 1])
    }

    /// Waits for a tick that both have a frame of, and compares what they see.
    private func agree(_ one: TestClient, _ other: TestClient) throws {
      for _ in 0..<100 {
        try one.until(.frame)
        let tick = try #require(one.mirror?.tick)
        while let seen = other.mirror?.tick, seen < tick { try other.until(.frame) }
        if let hash = other.mirror?.hashes[tick] {
          #expect(one.mirror?.state.hash == hash)
          return
        }
      }
      throw ClientFault("no tick in common")
    }
  }
}
