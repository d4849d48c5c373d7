import EventLoop
import Glibc
import RoomEngine
import Testing
import WireFormat

@testable import TickServer

extension ServingTests {
  /// The loop turns, and the time moves, only by hand: what was read without a turn of the loop was read at a tick.
  @Suite("Members who send in every tick")
  struct MembersReadAtTicks {
    @Test("are read at the tick, without the loop being told")
    func atTheTick() throws {
      try withMembers { server, members in
        try speakInEveryTick(members, server)
        #expect(server.membersReadAtTicks == 3)
        for (index, member) in members.enumerated() { member.move(to: 50 + Int32(index)) }
        server.advance(byNanoseconds: Self.tick)
        for (index, member) in members.enumerated() {
          try member.client.follow(for: 0)
          #expect(member.client.lastAcknowledged == member.sent, "of the tick before which it came")
          #expect(try member.x(of: member.avatar) == 50 + Int32(index))
        }
      }
    }

    @Test("are answered a Ping at the tick, and the next one at once")
    func ping() throws {
      try withMembers { server, members in
        try speakInEveryTick(members, server)
        members[0].client.send(Say.ping(1))
        server.turn()
        #expect(try members[0].pongs() == 0)
        server.advance(byNanoseconds: Self.tick)
        #expect(try members[0].pongs() == 1)
        #expect(server.membersReadAtTicks == 2, "the others go on")
        members[0].client.send(Say.ping(2))
        server.turn()
        #expect(try members[0].pongs() == 2)
      }
    }

    @Test("are read as their bytes come when they fall silent")
    func silence() throws {
      try withMembers { server, members in
        try speakInEveryTick(members, server)
        for _ in 0..<29 { server.advance(byNanoseconds: Self.tick) }
        #expect(server.membersReadAtTicks == 3)
        server.advance(byNanoseconds: Self.tick)
        #expect(server.membersReadAtTicks == 0)
        members[0].client.send(Say.ping(1))
        server.turn()
        #expect(try members[0].pongs() == 1)
      }
    }

    @Test("are read at once when a kibibyte waits")
    func many() throws {
      try withMembers { server, members in
        try speakInEveryTick(members, server)
        let event = Say.event([UInt8](repeating: 1, count: 600))
        members[0].client.send(event + event + Say.ping(1))
        server.turn()
        #expect(try members[0].pongs() == 1, "of its tick the room has heard nothing yet")
        #expect(server.membersReadAtTicks == 2, "a question ends it all the same")
      }
    }

    @Test("are let go of when they leave the room")
    func leaving() throws {
      try withMembers { server, members in
        try speakInEveryTick(members, server)
        members[0].client.send(Say.leave())
        server.advance(byNanoseconds: Self.tick)
        try members[0].client.follow(for: 0)
        #expect(members[0].client.seen.last == .left)
        #expect(server.membersReadAtTicks == 2)
        members[0].client.send(Say.ping(1))
        server.turn()
        #expect(try members[0].pongs() == 1, "in the lobby everyone is read as the bytes come")
        try speakInEveryTick(Array(members.dropFirst()), server)
        #expect(server.membersReadAtTicks == 2)
      }
    }

    enum Ending: CaseIterable {
      case closed, reset, malformed
    }

    /// The first of three: who stands behind it is read in its place.
    @Test("may end at the tick, beside others who are read on", arguments: Ending.allCases, [false, true])
    func ending(_ ending: Ending, isSeenByTheLoopFirst: Bool) throws {
      var reports: [LoopReport] = []
      try withMembers { server, members in
        try speakInEveryTick(members, server)
        switch ending {
        case .closed: members[0].client.close()
        case .reset: members[0].client.reset()
        case .malformed: members[0].client.send(Say.raw(MessageType.input.rawValue, [0xFF]))
        }
        if isSeenByTheLoopFirst { server.turn() }
        for member in members.dropFirst() { member.move(to: 77) }
        server.advance(byNanoseconds: Self.tick)
        for member in members.dropFirst() {
          try member.client.follow(for: 0)
          #expect(member.client.lastAcknowledged == member.sent)
        }
        // An end of stream is the loop's to tell.
        server.turn()
        #expect(server.membersReadAtTicks == 2)
      } afterwards: {
        reports = $0
      }
      let closed = reports.reduce(into: Ledger()) { $0.add($1.ledger) }.closed
      // Those of the two who stay come with the end of the test.
      let expected: [CloseReason: UInt64] =
        switch ending {
        case .closed: [.peerClosed: 3]
        case .reset: [.peerReset: 1, .peerClosed: 2]
        case .malformed: [.malformed: 1, .peerClosed: 2]
        }
      #expect(closed == expected)
    }

    @Test(
      "are read as their bytes come in slow rooms, and where that is asked for",
      arguments: [(19, ReadAtTicks.auto), (30, .off)])
    func exceptions(tickRate: Int, setting: ReadAtTicks) throws {
      try withMembers(tickRate: tickRate, setting: setting) { server, members in
        try speakInEveryTick(members, server, nanoseconds: 1_000_000_000 / UInt64(tickRate) + 1)
        #expect(server.membersReadAtTicks == 0)
      }
    }

    private static let tick: UInt64 = 33_333_334

    private final class Member {
      let client: TestClient
      fileprivate(set) var avatar: UInt16 = 0
      private(set) var sent: UInt32 = 0

      init(_ descriptor: Int32) { client = TestClient(connected: descriptor) }

      func move(to x: Int32) {
        sent = client.nextInput
        client.move(avatar, to: x)
      }

      func pongs() throws -> Int {
        try client.follow(for: 0)
        return client.seen.count { $0 == .pong }
      }

      func x(of avatar: UInt16) throws -> Int32 {
        try #require(client.mirror).state.tables[Int(TestRoom.avatar.rawValue)].word(0, Int(avatar))
      }
    }

    /// Three members of a room, each with an avatar.
    private func withMembers(
      tickRate: Int = 30, setting: ReadAtTicks = .auto, _ body: (EmbeddedServer, [Member]) throws -> Void,
      afterwards: ([LoopReport]) -> Void = { _ in }
    ) throws {
      var configuration = ServerConfiguration(rooms: [try TestRoom.kind(tickRate: tickRate)])
      configuration.readAtTicks = setting
      let server = try EmbeddedServer(configuration)
      var members: [Member] = []
      do {
        for _ in 0..<3 {
          let member = Member(try server.connect(to: 0, over: .loopback))
          members.append(member)
          member.client.send(Say.hello() + Say.join("r"))
          server.turn()
          server.advance(byNanoseconds: 1_000_000_000 / UInt64(tickRate) + 1)
          try member.client.until(.frame)
          member.avatar = try member.client.avatar()
        }
        try body(server, members)
      } catch {
        Issue.record(error)
      }
      for member in members { member.client.close() }
      server.turn()
      let end = server.stop()
      #expect(end.connections == 0)
      for report in end.reports { #expect(report.faults.isEmpty, "\(report.faults)") }
      afterwards(end.reports)
    }

    /// So often that they would be read at ticks from then on.
    private func speakInEveryTick(_ members: [Member], _ server: EmbeddedServer, nanoseconds: UInt64 = tick) throws {
      for turn in 0..<4 {
        for member in members { member.move(to: Int32(turn)) }
        server.turn()
        server.advance(byNanoseconds: nanoseconds)
        for member in members { try member.client.follow(for: 0) }
      }
    }
  }
}
