import RoomEngine
import Testing
import WireFormat

@testable import TickServer

extension ServingTests {
  @Suite("In a lobby and in a room")
  struct Rooms {
    // MARK: Joining

    @Test("a refused Join leaves the connection usable")
    func unknownRoomKind() throws {
      try withServer { test in
        let client = try test.welcomed()
        client.send(Say.join("r", kind: "chess"))
        try client.expectRefusal(.unknownRoomKind, "no room kind \"chess\": there are test")
        try client.join("r")
      }
    }

    @Test("room names are checked", arguments: ["", "a b", "ä", String(repeating: "x", count: 65)])
    func invalidRoomName(name: String) throws {
      try withServer { test in
        let client = try test.welcomed()
        client.send(Say.join(name))
        try client.expectRefusal(.invalidRoomName, "1 to 64 letters")
        try client.join(String(repeating: "x", count: 64))
      }
    }

    @Test("another schema is refused when the client says so")
    func strictSchema() throws {
      try withServer { test in
        let client = try test.welcomed()
        client.send(Say.join("r", hash: 1, strict: true))
        try client.expectRefusal(.schemaMismatch, "another hash")
        client.send(Say.join("r", hash: try TestRoom.schema().hash, strict: true))
        try client.until(.joined)
      }
    }

    @Test("the schema is sent when the hash differs, and only then")
    func schema() throws {
      let schema = try TestRoom.schema()
      try withServer { test in
        let stranger = try test.welcomed()
        stranger.send(Say.join("r", hash: 1))
        try stranger.until(.joined)
        #expect(stranger.joined?.schema == schema.encoded)
        #expect(stranger.joined?.schemaHash == schema.hash)
        let friend = try test.welcomed()
        friend.knownSchema = schema
        friend.send(Say.join("r", hash: schema.hash))
        try friend.until(.joined)
        #expect(friend.joined?.schema == nil)
        #expect(friend.joined?.players == [PlayerID(rawValue: 0), PlayerID(rawValue: 1)])
        try friend.until(.frame)
      }
    }

    @Test("a full room refuses; a free seat is given again")
    func roomFull() throws {
      try withServer(try TestRoom.kind(capacity: 1)) { test in
        let first = try test.member()
        let second = try test.welcomed()
        second.send(Say.join("r"))
        try second.expectRefusal(.roomFull, "all 1 seats are taken")
        first.send(Say.leave())
        try first.until(.left)
        try second.join("r")
      }
    }

    @Test("no more rooms than allowed; those that exist stay open to all")
    func roomLimit() throws {
      try withServer(configure: { $0.maxRooms = 1 }) { test in
        _ = try test.member(of: "one")
        let client = try test.welcomed()
        client.send(Say.join("two"))
        try client.expectRefusal(.roomLimit, "all 1 rooms are open")
        try client.join("one")
        #expect(test.server.openRooms == 1)
      }
    }

    @Test("a room keeps its kind")
    func roomKindMismatch() throws {
      try withServer(try TestRoom.kind(), try TestRoom.kind("other")) { test in
        _ = try test.member()
        let client = try test.welcomed()
        client.send(Say.join("r", kind: "other"))
        try client.expectRefusal(.roomKindMismatch, "is of kind \"test\"")
        try client.join("r")
      }
    }

    @Test("the game may refuse, or lock the room")
    func rejected() throws {
      try withServer { test in
        let member = try test.member()
        let client = try test.welcomed()
        client.send(Say.join("r", options: TestRoom.unwelcome))
        try client.expectRefusal(.rejected, "these options are unwelcome")
        member.send(Say.call(1, TestRoom.Method.lock))
        try member.until(.reply)
        client.send(Say.join("r"))
        try client.expectRefusal(.roomLocked, "locked")
      }
    }

    @Test("an abandoned room is closed, and its name is free again")
    func abandoned() throws {
      var limits = RoomLimits()
      limits.linger = .milliseconds(100)
      let ledger = try withServer(try TestRoom.kind(limits: limits)) { test in
        let client = try test.member()
        client.send(Say.leave())
        try client.until(.left)
        let isClosed = eventually { test.server.openRooms == 0 }
        #expect(isClosed)
        try client.join("r")
      }
      #expect(ledger.roomsOpened == 2)
    }

    @Test("after Left the same connection may join another room")
    func leave() throws {
      let ledger = try withServer { test in
        let client = try test.member(of: "one")
        client.send(Say.leave())
        try client.until(.left)
        client.send(Say.input(1, avatar: 0, x: 1) + Say.ping(3))
        try client.until(.pong)
        try client.join("two")
        client.move(try client.avatar(), to: 50)
        try client.until(.inputAck)
      }
      #expect(ledger.accepted == 1)
      #expect(ledger.closed == [.peerClosed: 1])
    }

    // MARK: Out of place

    @Test(
      "a message out of place ends the connection",
      arguments: [
        [Say.hello()], [Say.raw(MessageType.frame.rawValue)], [Say.raw(MessageType.welcome.rawValue)],
        [Say.join("r"), Say.join("r")], [Say.join("r"), Say.hello()],
      ])
    func outOfPlace(messages: [[UInt8]]) throws {
      let ledger = try withServer { test in
        let client = try test.welcomed()
        client.send(messages.flatMap { $0 })
        try client.expectGoodbye(.unexpectedMessage, "out of place")
      }
      #expect(ledger.closed == [.unexpectedMessage: 1])
    }

    @Test("a Join in a room is out of place")
    func joinTwice() throws {
      try withServer { test in
        let client = try test.member()
        client.send(Say.join("other"))
        try client.expectGoodbye(.unexpectedMessage, "join is out of place")
      }
    }

    @Test("an unknown required type ends the connection, an unknown optional one is skipped")
    func unknownTypes() throws {
      try withServer { test in
        let client = try test.welcomed()
        client.send(Say.raw(0x80, [1, 2, 3]) + Say.raw(0xFF) + Say.ping(1))
        try client.until(.pong)
        try client.join("r")
        client.send(Say.raw(0x90, Array(repeating: 9, count: 3000)) + Say.ping(2))
        try client.until(.pong)
        client.send(Say.raw(0x7F))
        try client.expectGoodbye(.unknownMessage, "127")
      }
    }

    @Test("after Welcome its limit holds, on the byte")
    func messageTooLarge() throws {
      try withServer(configure: { $0.maxClientMessage = .kib(8) }) { test in
        let client = try test.welcomed()
        client.send(Say.raw(0x80, Array(repeating: 0, count: 8191)) + Say.ping(1))
        try client.until(.pong)
        client.send(Say.raw(0x80, Array(repeating: 0, count: 8192)))
        try client.expectGoodbye(.messageTooLarge, "8193 bytes, at most 8192")
      }
    }

    // MARK: Inputs, calls, whispers

    @Test(
      "a malformed Input ends the connection",
      arguments: [
        Say.raw(MessageType.input.rawValue), Say.raw(MessageType.input.rawValue, [1, 1, 0, 0, 1]),
        Say.raw(MessageType.input.rawValue, [1, 0, 0]),
      ])
    func malformedInput(bytes: [UInt8]) throws {
      try withServer { test in
        let client = try test.member()
        client.send(bytes)
        try client.expectGoodbye(.malformed, "input")
      }
    }

    @Test("a value out of its range ends the connection")
    func invalidInput() throws {
      try withServer { test in
        let client = try test.member()
        let avatar = try client.avatar()
        client.move(avatar, to: TestRoom.mostX)
        try client.until(.inputAck)
        client.move(avatar, to: TestRoom.mostX + 1)
        try client.expectGoodbye(.invalidInput, "value")
      }
    }

    @Test("what a player moves, everybody sees")
    func moves() throws {
      try withServer { test in
        let mover = try test.member()
        let watcher = try test.member()
        let avatar = try mover.avatar()
        mover.move(avatar, to: 1234)
        try watcher.see(avatar, at: 1234)
        mover.send(Say.event([1]))
        try watcher.follow(until: { watcher.mirror?.events.isEmpty == false })
      }
    }

    @Test("more messages than the rate allows are taken later, all of them and in order")
    func rateLimited() throws {
      var limits = RoomLimits()
      limits.messagesPerSecond = 40
      limits.messageBurst = 20
      try withServer(try TestRoom.kind(limits: limits)) { test in
        let (client, watcher) = (try test.member(), try test.member())
        let began = monotonicSeconds()
        for number in 0..<60 { client.send(Say.event([UInt8(number)])) }
        try watcher.follow(until: { watcher.mirror?.events.count ?? 0 >= 60 })
        #expect(monotonicSeconds() - began > 0.9)
      }
    }

    @Test("pings and unknown messages count too, in a lobby and in a room", arguments: [false, true])
    func pingFlood(inRoom: Bool) throws {
      try withServer { test in
        let client = inRoom ? try test.member() : try test.welcomed()
        let began = monotonicSeconds()
        client.send(Array(repeating: Say.raw(0x80), count: 360).flatMap { $0 } + Say.ping(1))
        try client.until(.pong)
        #expect(monotonicSeconds() - began > 0.9, "240 at once, 120 a second")
      }
    }

    @Test("calls are answered: at once, later, refused, unknown, too many")
    func calls() throws {
      try withServer { test in
        let client = try test.member()
        func reply(to bytes: [UInt8]) throws -> (id: UInt32, status: UInt16, payload: [UInt8]) {
          client.send(bytes)
          let body = try client.until(.reply).body
          let reply = try Reply(body.span)
          return (reply.id, reply.status, Array(body[reply.payload]))
        }
        #expect(try reply(to: Say.call(1, TestRoom.Method.echo, [4, 5])) == (1, 0, [4, 5]))
        #expect(try reply(to: Say.call(2, TestRoom.Method.refuse)) == (2, 2, Array("no".utf8)))
        #expect(try reply(to: Say.call(3, TestRoom.Method.later)) == (3, 0, [7]))
        #expect(try reply(to: Say.call(4, 999)) == (4, 1, []))
        let many = (0..<17).flatMap { Say.call(100 + $0, TestRoom.Method.later) }
        #expect(try reply(to: many) == (116, 3, []))
      }
    }

    @Test("a whisper reaches one player, from the game and from another player")
    func whispers() throws {
      try withServer { test in
        let first = try test.member()
        let second = try test.member()
        first.send(Say.call(1, TestRoom.Method.whisperMe, [8]))
        let body = try first.until(.whisper).body
        let whisper = try Whisper(body.span)
        #expect(whisper.number == 1)
        #expect(whisper.code == TestRoom.whisperCode)
        #expect(Array(body[whisper.payload]) == [8])
        let target = try #require(second.joined).player
        first.send(Say.event([9], to: .one(target)))
        let sent = try second.until(.whisper).body
        #expect(try Whisper(sent.span).sender == first.joined?.player)
        #expect(!first.seen.dropFirst(4).contains(.goodbye))
      }
    }

    @Test("the game may kick: told why, and the seat is free")
    func kick() throws {
      let ledger = try withServer(try TestRoom.kind(capacity: 1)) { test in
        let client = try test.member()
        let ticket = try #require(client.welcome).ticket
        client.send(Say.call(1, TestRoom.Method.kickMe))
        try client.expectGoodbye(.kicked, "kicked by the test")
        let back = try test.connect()
        back.send(
          Say.hello(.resume(ResumePoint(ticket: ticket, lastTick: Tick(0), lastEvent: 0, lastWhisper: 0))))
        try back.expectGoodbye(.ticketUnknown, "join anew")
        _ = try test.member()
      }
      #expect(ledger.closed == [.kicked: 1, .ticketUnknown: 1, .peerClosed: 1])
    }

    @Test("a room that the game ends says so to everybody, and its name is free again")
    func end() throws {
      let ledger = try withServer(try TestRoom.kind(traffic: .clock)) { test in
        let (caller, other) = (try test.member(), try test.member())
        let lobby = try test.member(of: "elsewhere")
        caller.send(Say.call(1, TestRoom.Method.end))
        try caller.expectGoodbye(.roomClosed, "ended by the test")
        try other.expectGoodbye(.roomClosed, "ended by the test")
        let back = try test.member()
        #expect(back.mirror?.tick.map { $0 < Tick(30) } == true)
        try lobby.follow(for: 0.2)
        #expect(test.server.openRooms == 2)
        for client in [caller, other, back, lobby] { client.close() }
        test.expectOpenConnections(0)
      }
      #expect(ledger.closed[.roomClosed] == 2)
    }

    // MARK: Frames

    @Test("a room that takes longer than its tick slows down its loop, but does not stop it")
    func overloaded() throws {
      try withServer(try TestRoom.kind(traffic: .work(milliseconds: 60))) { test in
        let client = try test.member()
        for token in 1...5 {
          client.send(Say.ping(UInt64(token)))
          try client.until(.pong)
        }
      }
    }

    @Test("a steady room brings frames at its rate, without a gap, the same state for all")
    func steady() throws {
      try withServer(try TestRoom.kind(traffic: .clock)) { test in
        let clients = try (0..<3).map { _ in try test.member() }
        let before = clients.map { $0.mirror?.frames ?? 0 }
        let deadline = monotonicSeconds() + 2
        while monotonicSeconds() < deadline { for client in clients { try client.follow(for: 0.005) } }
        for (client, frames) in zip(clients, before) {
          let mirror = try #require(client.mirror)
          // 60 are due; a busy machine may lose some.
          #expect((45...62).contains(mirror.frames - frames), "\(mirror.frames - frames)")
          #expect(mirror.keyframes == 1)
        }
        let hashes = try clients.map { try #require($0.mirror).hashes }
        let common = Set(hashes[0].keys).intersection(hashes[1].keys).intersection(hashes[2].keys)
        #expect(common.count >= 40)
        for tick in common { #expect(Set(hashes.map { $0[tick] }).count == 1, "\(tick)") }
      }
    }
  }
}
