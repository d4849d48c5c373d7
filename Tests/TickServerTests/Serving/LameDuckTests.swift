import RoomEngine
import Testing
import WireFormat

@testable import TickServer

extension ServingTests {
  @Suite("Stopping without ending matches")
  struct LameDucks {
    /// Far longer than any test lasts.
    private static let long = Duration.seconds(3600)

    private func end(_ client: TestClient) throws {
      client.send(Say.call(9, TestRoom.Method.end))
      try client.expectGoodbye(.roomClosed, "ended by the test")
      client.close()
    }

    @Test("matches go on to their own end, then the server ends by itself", arguments: [1, 2])
    func matches(loops: Int) throws {
      let ledger = try withServer(try TestRoom.kind(traffic: .clock), loops: loops) { test in
        let members = try ["a", "b", "c"].map { try test.member(of: $0) }
        test.server.stop(within: Self.long)
        for member in members {
          member.move(try member.avatar(), to: 77)
          try member.see(try member.avatar(), at: 77)
        }
        for member in members.dropLast() { try end(member) }
        // Members are told before the room is closed.
        #expect(eventually { test.server.openRooms == 1 })
        try members[2].follow(for: 0.3)
        try end(members[2])
        #expect(test.server.stopped().count == loops)
      }
      #expect(ledger.closed == [.roomClosed: 3])
    }

    @Test("no further room is opened; a room that needs no players takes none", arguments: [1, 2])
    func newcomers(loops: Int) throws {
      try withServer(loops: loops) { test in
        let member = try test.member(of: "a")
        test.server.stop(within: Self.long)
        // Those who come now are let in: they may be needed in a room.
        let rooms = ["a", "new-1", "new-2", "new-3", "new-4"]
        let newcomers = try rooms.map { _ in try test.welcomed() }
        for (newcomer, room) in zip(newcomers, rooms) {
          newcomer.send(Say.join(room))
          let message = try newcomer.until(.joinRefused)
          let refused = try JoinRefused(message.body.span)
          #expect(refused.code == JoinRefusal.draining.rawValue, "\(refused)")
          #expect((500...1500).contains(refused.retryAfterMilliseconds ?? 0))
        }
        #expect(test.server.openRooms == 1)
        try end(member)
        for newcomer in newcomers {
          try newcomer.expectGoodbye(.draining, "shutting down")
          newcomer.close()
        }
        #expect(test.server.stopped().count == loops)
      }
    }

    @Test("a connection that is lost comes back to its seat", arguments: [1, 2])
    func resume(loops: Int) throws {
      try withServer(loops: loops) { test in
        let members = try ["a", "b", "c"].map { try test.member(of: $0) }
        test.server.stop(within: Self.long)
        for member in members {
          let point = try member.resumePoint()
          member.reset()
          let back = try test.welcomed(.resume(point))
          try back.until(.joined)
          let joined = try #require(back.joined)
          #expect(joined.isResumed)
          try end(back)
        }
        #expect(test.server.stopped().count == loops)
      }
    }

    @Test("at the deadline everyone who is left is told, and the server ends", arguments: [1, 2])
    func deadline(loops: Int) throws {
      let ledger = try withServer(loops: loops) { test in
        let members = try (0..<6).map { try test.member(of: "room-\($0)") }
        let start = monotonicSeconds()
        test.server.stop(within: .seconds(2))
        for member in members {
          let goodbye = try member.farewell()
          #expect(goodbye.code == CloseReason.draining.rawValue)
          #expect(goodbye.retryAfterMilliseconds != nil)
          member.close()
        }
        // Not before the time that games are told.
        #expect(monotonicSeconds() - start > 1.4)
        #expect(test.server.stopped().count == loops)
      }
      #expect(ledger.closed == [.draining: 6])
    }

    @Test("without rooms it ends at once; players in no room are told", arguments: [1, 2])
    func empty(loops: Int) throws {
      let ledger = try withServer(loops: loops) { test in
        let guest = try test.welcomed()
        test.server.stop(within: Self.long)
        try guest.expectGoodbye(.draining, "shutting down")
        guest.close()
        #expect(test.server.stopped().count == loops)
      }
      #expect(ledger.closed == [.draining: 1])
    }

    @Test("a room that lingers without players is not waited for")
    func lingering() throws {
      var limits = RoomLimits()
      limits.linger = .seconds(600)
      try withServer(try TestRoom.kind(limits: limits)) { test in
        let member = try test.member()
        member.send(Say.leave())
        try member.until(.left)
        member.close()
        test.server.stop(within: Self.long)
        #expect(test.server.stopped().count == 1)
      }
    }

    @Test("stop() ends a lame duck; a later deadline does not put it off")
    func sooner() throws {
      try withServer { test in
        let member = try test.member()
        test.server.stop(within: Self.long)
        test.server.stop(within: Self.long * 2)
        try member.follow(for: 0.3)
        #expect(!member.hasEnded)
        test.server.stop()
        test.server.stop(within: Self.long)
        try member.expectGoodbye(.draining, "shutting down")
        member.close()
        #expect(test.server.stopped().count == 1)
      }
    }

    @Test("the earlier of two deadlines counts, also when it is asked for later")
    func nearer() throws {
      try withServer { test in
        let member = try test.member()
        test.server.stop(within: Self.long)
        test.server.stop(within: .milliseconds(300))
        try member.expectGoodbye(.draining, "shutting down")
        member.close()
        #expect(test.server.stopped().count == 1)
      }
    }

    @Test("no time at all is stop()")
    func none() throws {
      try withServer { test in
        let member = try test.member()
        test.server.stop(within: .zero)
        try member.expectGoodbye(.draining, "shutting down")
        member.close()
      }
    }

    /// Each has asked for a seat, or is on its way to another loop, when the lame duck begins.
    @Test("whoever is on the way to a room gets in or is told")
    func onTheWay() throws {
      for seed in 0..<6 {
        try withServer(loops: 2) { test in
          let clients = try (0..<20).map { index in
            let client = try test.connect()
            client.send(Say.hello() + Say.join("room-\(index)"))
            return client
          }
          pause(milliseconds: UInt32(seed) * 4)
          test.server.stop(within: .milliseconds(800))
          for client in clients {
            while let message = try client.next() { if message.type == .goodbye { break } }
            client.close()
          }
          #expect(test.server.stopped().count == 2)
        }
      }
    }

    @Test("a peer that reads nothing keeps neither its room nor the server beyond the deadline and the drain time")
    func stalled() throws {
      var limits = RoomLimits()
      limits.stallDeadline = .seconds(60)
      limits.lagDeadline = .seconds(60)
      let kind = try TestRoom.kind(traffic: .noise(16), limits: limits)
      let ledger = try withServer(
        kind,
        configure: {
          $0.sendBuffer = .kib(4)
          $0.drain = .milliseconds(500)
        }
      ) { test in
        let healthy = try test.member()
        let stalled = try test.connect(receiveBytes: 4096)
        stalled.send(Say.hello() + Say.join("r"))
        test.expectOpenConnections(2)
        try healthy.follow(for: 1)
        test.server.stop(within: .seconds(1))
        try healthy.expectGoodbye(.draining, "shutting down")
        healthy.close()
        #expect(test.server.stopped().count == 1)
      }
      #expect(ledger.closed == [.draining: 2])
    }

    // MARK: Spreading, on the test's own time

    /// Members of so many rooms of an embedded server.
    private func members(of rooms: Int, _ server: EmbeddedServer, loops: Int) throws -> [TestClient] {
      try (0..<rooms).map { index in
        let descriptor = try server.connect(to: index)
        let client = TestClient(connected: descriptor)
        client.send(Say.hello() + Say.join("room-\(index)"))
        for _ in 0..<4 { server.turn() }
        return client
      }
    }

    @Test("goodbyes are spread over the last quarter, so that none is left at the deadline", arguments: [1, 2])
    func spread(loops: Int) throws {
      let configuration = ServerConfiguration(rooms: [try TestRoom.kind()])
      let server = try EmbeddedServer(configuration, loops: loops)
      let clients = try members(of: 40, server, loops: loops)
      for _ in 0..<8 {
        server.advance(byNanoseconds: 33_333_334)
        server.turn()
      }
      server.stop(withinNanoseconds: 20_000_000_000)
      server.turn()
      var ended: [Int] = []
      for _ in 0..<80 {
        server.advance(byNanoseconds: 250_000_000)
        for _ in 0..<3 { server.turn() }
        for client in clients { try client.follow(for: 0) }
        ended.append(clients.count { $0.seen.last == .goodbye })
      }
      // The first 15 s are for the game; then as many in each quarter of a second, on each loop.
      #expect(ended[58] == 0)
      #expect(ended[78] == 40)
      let steps = zip(ended, ended.dropFirst()).map { $1 - $0 }
      #expect(steps.allSatisfy { $0 <= 3 * loops }, "\(ended)")
      for client in clients { client.close() }
      for _ in 0..<3 { server.turn() }
      let end = server.stop()
      #expect(end.connections == 0 && end.rooms == 0 && end.sessions == 0)
      let faults = end.reports.flatMap { $0.faults }
      #expect(faults == [])
    }

    @Test("a server that stood still past its deadline says goodbye to all, and ends")
    func standstill() throws {
      let configuration = ServerConfiguration(rooms: [try TestRoom.kind()])
      let server = try EmbeddedServer(configuration, loops: 2)
      let clients = try members(of: 6, server, loops: 2)
      server.advance(byNanoseconds: 33_333_334)
      server.turn()
      server.stop(withinNanoseconds: 20_000_000_000)
      server.turn()
      server.advance(byNanoseconds: 25_000_000_000)
      for _ in 0..<3 { server.turn() }
      for client in clients {
        try client.follow(for: 0)
        #expect(client.seen.last == .goodbye)
        client.close()
      }
      for _ in 0..<3 { server.turn() }
      let end = server.stop()
      #expect(end.connections == 0 && end.rooms == 0 && end.sessions == 0)
    }
  }
}
