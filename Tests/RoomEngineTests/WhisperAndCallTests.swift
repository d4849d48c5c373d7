import ClientCore
import RoomEngine
import RoomTestKit
import Testing
import WireFormat

@Suite struct WhisperTests {
  @Test func whispersToANewcomerComeOnceAndInOrder() throws {
    let stage = try Stage()
    stage.game.onJoined = { player, room in
      for number: UInt8 in 1...6 { room.whisper(30, [number], to: player, reliably: number % 2 == 0) }
    }
    let ann = stage.join(1)[0]
    #expect(ann.whispers.map(\.payload) == [[1], [2], [3], [4], [5], [6]])
    #expect(ann.whispers.map(\.number) == [nil, 1, nil, 2, nil, 3])
    stage.finish()
  }

  @Test func whispersToANewcomerWhoseSocketIsBlockedComeOnceAndInOrder() throws {
    let stage = try Stage()
    let ann = stage.connect()
    ann.connection?.stall()
    ann.join()
    stage.game.onTick = { room in
      let number = UInt8(truncatingIfNeeded: room.tick.rawValue)
      room.whisper(30, [number], to: PlayerID(rawValue: 0), reliably: number % 2 == 0)
    }
    // The pong of its ping is in the way of Joined.
    ann.core.ping(now: 1)
    stage.room.advance(ticks: 5)
    #expect(!ann.isInRoom)
    ann.connection?.flow()
    stage.room.advance(ticks: 1)
    #expect(ann.whispers.map { $0.payload[0] } == [1, 2, 3, 4, 5, 6])
    stage.finish()
  }

  @Test func whispersDuringAResumeWithABlockedSocketAreNeitherLostNorDoubled() throws {
    let stage = try Stage()
    let ann = stage.join(1)[0]
    stage.game.onTick = { room in
      let number = UInt8(truncatingIfNeeded: room.tick.rawValue)
      room.whisper(30, [number], to: PlayerID(rawValue: 0), reliably: number % 2 == 0)
    }
    ann.connection?.cut()
    stage.room.advance(ticks: 2)
    stage.room.onConnect = { $0.stall() }
    ann.connect()
    #expect(!ann.isInRoom)
    stage.room.advance(ticks: 4)
    ann.connection?.flow()
    stage.room.advance(ticks: 2)
    #expect(ann.isInRoom)
    #expect(ann.whispers.filter { $0.number != nil }.map { $0.payload[0] } == [2, 4, 6, 8])
    stage.finish()
  }

  @Test func whispersToALaggardWaitForItsSocket() throws {
    let stage = try Stage()
    let ann = stage.join(1)[0]
    stage.game.onTick = { room in
      room.raise(20)
      room.whisper(30, [UInt8(truncatingIfNeeded: room.tick.rawValue)], to: PlayerID(rawValue: 0), reliably: false)
    }
    ann.connection?.stall()
    stage.room.advance(ticks: 4)
    #expect(ann.whispers.isEmpty)
    ann.connection?.flow()
    stage.room.advance(ticks: 1)
    #expect(ann.whispers.map { $0.payload[0] } == [2, 3, 4, 5, 6])
    stage.finish()
  }

  /// Three at a time have more to say in a tick than one member may be behind by.
  @Test func playersCannotEndAConnectionByWhisperingToIt() throws {
    let stage = try Stage()
    let players = stage.join(4)
    let victim = try #require(players[0].player)
    for number in 0..<90 {
      let payload = [UInt8](repeating: UInt8(number), count: 1000)
      players[1 + number % 3].raise(30, payload, to: .one(victim), reliably: true)
    }
    stage.room.advance(ticks: 2)
    #expect(players[0].isInRoom)
    #expect(players[0].whispers.map(\.number) == (1...32).map(UInt64.init))
    #expect(stage.room.room.counters.whispersLost == 90 - 32)
    stage.finish()
  }

  @Test func playersCannotMakeASeatImpossibleToResumeByWhispering() throws {
    let stage = try Stage()
    let players = stage.join(2)
    let victim = try #require(players[0].player)
    for number in 0..<40 { players[1].raise(30, [UInt8(number)], to: .one(victim)) }
    stage.room.advance(ticks: 1)
    players[0].connection?.cut()
    for number in 40..<140 { players[1].raise(30, [UInt8(number)], to: .one(victim)) }
    stage.room.advance(ticks: 1)
    players[0].connect()
    stage.room.advance(ticks: 1)
    #expect(players[0].resumes == 1)
    #expect(players[0].whispers.map { $0.payload[0] } == (0..<72).map { UInt8($0) })
    stage.finish()
  }

  @Test func whispersToNobodyAreRefusedWhateverTheNumber() throws {
    let stage = try Stage()
    _ = stage.join(1)
    let room = stage.room.room
    #expect(!room.whisper(30, to: PlayerID(rawValue: 5)))
    #expect(!room.whisper(30, to: PlayerID(rawValue: 65535)))
    #expect(!room.whisper(15, to: PlayerID(rawValue: 0)))
    #expect(!room.whisper(30, Array(repeating: 0, count: 1025), to: PlayerID(rawValue: 0)))
    #expect(room.currentCall(from: PlayerID(rawValue: 65535)) == nil)
    room.kick(PlayerID(rawValue: 65535), "nobody")
    #expect(room.counters.whispersLost == 4)
    stage.finish()
  }
}

@Suite struct CallTests {
  private func stage() throws -> Stage {
    let stage = try Stage()
    stage.game.onCall = { method, payload, _, _ in
      switch method {
      case 1: .reply(payload + payload)
      case 2: .reject("no")
      case 3: .later
      case 4: .failure(.payloadInvalid)
      case 5: .reply(Array(repeating: 0, count: 1025))
      default: .failure(.unknownMethod)
      }
    }
    return stage
  }

  @Test func callsAreAnsweredInTheirTick() throws {
    let stage = try stage()
    let ann = stage.join(1)[0]
    let ids = [1, 2, 4, 9, 5].map { ann.call($0, payload: [7]) ?? 0 }
    #expect(ann.replies.isEmpty)
    stage.room.advance(ticks: 1)
    let replies = ids.map { ann.replies[$0] }
    #expect(replies.map { $0?.status } == [.ok, .rejected, .payloadInvalid, .unknownMethod, .rejected])
    #expect(replies[0]?.payload == [7, 7])
    #expect(replies[1]?.payload == Array("no".utf8))
    stage.finish()
  }

  @Test func aCallMayBeAnsweredLaterAndOnlyOnce() throws {
    let stage = try stage()
    let ann = stage.join(1)[0]
    let id = try #require(ann.call(3))
    stage.room.advance(ticks: 5)
    #expect(ann.replies.isEmpty)
    let call = try #require(stage.game.calls.first)
    #expect(call.player == ann.player)
    stage.room.room.reply(to: call, with: .later)
    stage.room.room.reply(to: call, with: .reply([5]))
    stage.room.room.reply(to: call, with: .reply([6]))
    stage.room.advance(ticks: 1)
    #expect(ann.replies[id]?.payload == [5])
    stage.finish()
  }

  @Test func aPayloadAboveTheRoomsLimitIsAnsweredAndTheGameNeverSeesIt() throws {
    var limits = RoomLimits()
    limits.payloadBytes = ByteCount(100)
    let stage = try Stage(limits)
    stage.game.onCall = { _, payload, _, _ in .reply([UInt8(payload.count)]) }
    let ann = stage.join(1)[0]
    let ids = [100, 101].map { ann.call(1, payload: Array(repeating: 0, count: $0)) ?? 0 }
    stage.room.advance(ticks: 1)
    #expect(ids.map { ann.replies[$0]?.status } == [.ok, .payloadInvalid])
    #expect(ann.replies[ids[0]]?.payload == [100])
    #expect(ann.goodbye == nil)
    stage.finish()
  }

  @Test func theSeventeenthOpenCallIsRefused() throws {
    let stage = try stage()
    let ann = stage.join(1)[0]
    let ids = (0..<16).compactMap { _ in ann.call(3) }
    #expect(ids.count == 16)
    #expect(ann.call(3) == nil, "the core does not even send it")
    let body = encodedBytes(bound: 32) { Call.encode(id: 999, method: 3, payload: [UInt8]().span, into: &$0) }
    ann.connection?.stall()
    ann.send(raw: body)
    stage.room.advance(ticks: 1)
    #expect(stage.game.calls.count == 16)
    #expect(ann.connection?.isBlocked == true, "it is answered")
    stage.room.room.reply(to: stage.game.calls[0], with: .reply([]))
    stage.room.advance(ticks: 1)
    ann.send(raw: body)
    stage.room.advance(ticks: 1)
    #expect(stage.game.calls.count == 17)
    stage.finish()
  }

  @Test func anAnswerToACallerWhoIsGoneOrCameBackIsDropped() throws {
    let stage = try stage()
    let both = stage.join(2)
    let lost = try #require(both[0].call(3))
    both[1].call(3)
    stage.room.advance(ticks: 1)
    both[0].connection?.cut()
    both[1].leave()
    stage.room.advance(ticks: 1)
    both[0].connect()
    stage.room.advance(ticks: 1)
    for call in stage.game.calls { stage.room.room.reply(to: call, with: .reply([1])) }
    stage.room.advance(ticks: 1)
    #expect(both[0].replies.isEmpty && both[1].replies.isEmpty)
    #expect(both[0].lostCalls == [lost])
    #expect(both[0].isInRoom)
    stage.finish()
  }
}
