import ClientCore
import RoomEngine
import RoomTestKit
import Testing
import WireFormat

@Suite struct ResumeTests {
  private func enliven(_ stage: Stage) {
    let keys = stage.keys
    stage.game.onTick = { room in
      let tick = room.tick.rawValue
      for avatar in room.entities(TestSchema.avatar) {
        room.set(keys.position, of: avatar, to: SIMD2(Double(tick), 1))
      }
      room.raise(20, [UInt8(truncatingIfNeeded: tick)])
      if tick % 2 == 0 { room.whisper(30, [UInt8(truncatingIfNeeded: tick)], to: PlayerID(rawValue: 0)) }
    }
  }

  /// Cut at any byte of the stream, come back `absence` ticks later: nothing reliable is lost or doubled.
  private func cutEverywhere(part: Int, parts: Int, absence: Int, _ limits: RoomLimits) throws {
    let clean = try Stage(limits)
    enliven(clean)
    let witness = clean.connect()
    let greeting = witness.connection?.bytesArrived ?? 0
    witness.join()
    clean.room.advance(ticks: 12)
    let length = (witness.connection?.bytesArrived ?? 0) - greeting
    #expect(length > 200)
    clean.finish()
    for offset in stride(from: part, to: length, by: parts) {
      let stage = try Stage(limits)
      enliven(stage)
      let ann = stage.connect()
      ann.connection?.cut(afterBytes: offset)
      ann.join()
      for _ in 0..<12 {
        stage.room.advance(ticks: 1)
        guard !ann.isConnected else { continue }
        stage.room.advance(ticks: absence)
        ann.connect()
        // Cut before Joined: it never knew of its seat.
        if ann.player == nil { ann.join() }
      }
      stage.room.advance(ticks: 1)
      #expect(ann.connectionCount == 2)
      let seat = try #require(ann.core.seat)
      #expect(ann.isInRoom && ann.tick == stage.room.lastFrame, "cut at \(offset)")
      #expect(ann.stateHash == stage.room.stateHash, "cut at \(offset)")
      let numbers = ann.eventsOfThisSeat.compactMap(\.number)
      #expect(numbers.last == stage.room.room.lastRaised, "cut at \(offset)")
      let ticks = ann.eventsOfThisSeat.map { Int($0.payload[0]) }
      #expect(ticks == Array((ticks.first ?? 0)..<((ticks.first ?? 0) + ticks.count)), "cut at \(offset)")
      if offset > 0, seat.player.rawValue == 0 {
        #expect(ticks.first == 2)
        let whispers = ann.whispersOfThisSeat.map { Int($0.payload[0]) }
        #expect(whispers == (1...(Int(stage.room.room.tick.rawValue) / 2)).map { $0 * 2 }, "cut at \(offset)")
      }
      stage.finish()
    }
  }

  @Test(arguments: 0..<16)
  func aStreamCutAtAnyByteIsResumedFromTheLog(part: Int) throws {
    try cutEverywhere(part: part, parts: 16, absence: 2, RoomLimits())
  }

  @Test(arguments: 0..<16)
  func aStreamCutAtAnyByteIsResumedByAKeyframe(part: Int) throws {
    var limits = RoomLimits()
    limits.frameLogFrames = 2
    try cutEverywhere(part: part, parts: 16, absence: 5, limits)
  }

  @Test func aCutBetweenAKeyframeAndItsEventsGivesBoth() throws {
    var limits = RoomLimits()
    limits.frameLogFrames = 4
    let stage = try Stage(limits)
    enliven(stage)
    let ann = stage.join(1)[0]
    ann.connection?.stall()
    stage.room.advance(ticks: 9)
    let seen = ann.events.count
    let keyframes = ann.keyframes
    // Byte by byte until the keyframe is there, and its events are not.
    while ann.keyframes == keyframes {
      ann.connection?.grant(1)
      stage.room.advance(by: .zero)
    }
    #expect(ann.events.count < 10 && ann.events.count >= seen)
    ann.connection?.cut()
    stage.room.advance(by: .zero)
    ann.connect()
    #expect(ann.resumes == 1)
    #expect(ann.keyframes == keyframes + 2)
    #expect(ann.events.map { Int($0.payload[0]) } == Array(2...10))
    stage.finish()
  }

  @Test func theGameIsToldOfAbsenceAndReturn() throws {
    let stage = try Stage()
    let ann = stage.join(1)[0]
    let avatar = try stage.avatar(of: ann)
    ann.connection?.cut()
    stage.room.advance(ticks: 1)
    #expect(stage.room.room.contains(avatar))
    ann.connect()
    stage.room.advance(ticks: 1)
    #expect(stage.game.log == ["joined 0", "disconnected 0", "resumed 0"])
    #expect(try stage.avatar(of: ann) == avatar)
    #expect(ann.keyframes == 1, "nothing was missed, nothing is sent again")
    stage.finish()
  }

  @Test func afterTheGracePeriodTheTicketMeansNothing() throws {
    let stage = try Stage()
    let both = stage.join(2)
    let avatar = try stage.avatar(of: both[0])
    both[0].connection?.cut()
    stage.room.advance(by: .seconds(21))
    #expect(!stage.room.room.contains(avatar))
    #expect(stage.game.log.last == "left 0")
    both[0].connect()
    #expect(both[0].goodbye?.reason == .ticketUnknown)
    stage.finish()
  }

  @Test func whoWasKickedOrBrokeTheRulesHasNoGrace() throws {
    let stage = try Stage()
    let both = stage.join(2)
    stage.game.onTick = { room in if room.tick.rawValue == 3 { room.kick(PlayerID(rawValue: 0), "go") } }
    both[1].send(raw: [2, MessageType.ping.rawValue, 0x80])
    #expect(both[1].goodbye?.reason == .malformed)
    stage.room.advance(ticks: 1)
    #expect(stage.room.room.playerCount == 1)
    stage.room.advance(ticks: 1)
    #expect(both[0].goodbye?.reason == .kicked)
    #expect(both[0].goodbye?.text == "go")
    #expect(stage.room.room.playerCount == 0)
    stage.finish()
  }

  @Test func aSecondConnectionSupersedesTheFirstEvenWithAWriteInFlight() throws {
    let stage = try Stage()
    enliven(stage)
    let ann = stage.join(1)[0]
    let older = try #require(ann.connection)
    older.stall()
    stage.room.advance(ticks: 5)
    #expect(older.isBlocked)
    ann.raise(40, [1])
    ann.connect()
    #expect(older.end?.reason == .superseded)
    #expect(ann.isInRoom)
    stage.room.advance(ticks: 1)
    #expect(ann.events.map(\.code).allSatisfy { $0 == 20 }, "the older connection can't touch the seat any more")
    #expect(ann.events.map { Int($0.payload[0]) } == Array(2...7))
    #expect(ann.whispers.map { Int($0.payload[0]) } == [2, 4, 6])
    #expect(stage.room.room.attached.count == 1)
    stage.finish()
  }

  @Test func inputsGoOnAfterAResume() throws {
    let stage = try Stage()
    let ann = stage.join(1)[0]
    let avatar = try stage.avatar(of: ann)
    try ann.set(stage.keys.yaw, of: avatar, to: 10)
    stage.room.advance(ticks: 1)
    ann.connection?.cut()
    stage.room.advance(ticks: 1)
    ann.connect()
    try ann.set(stage.keys.yaw, of: avatar, to: 20)
    stage.room.advance(ticks: 1)
    #expect(ann.acknowledgedInput == 2)
    #expect(ann.get(stage.keys.yaw, of: avatar) == 20)
    stage.finish()
  }

  @Test func tooManyMissedWhispersMakeTheTicketStale() throws {
    let stage = try Stage()
    let ann = stage.join(1)[0]
    // For as long its seat is kept.
    stage.room.advance(by: .seconds(5))
    stage.game.onTick = { room in room.whisper(30, to: PlayerID(rawValue: 0)) }
    ann.connection?.cut()
    stage.room.advance(ticks: 64)
    ann.connect()
    #expect(ann.isInRoom && ann.whispers.count == 64)
    ann.connection?.cut()
    stage.room.advance(ticks: 65)
    ann.connect()
    #expect(ann.goodbye?.reason == .ticketStale)
    stage.finish()
  }
}
