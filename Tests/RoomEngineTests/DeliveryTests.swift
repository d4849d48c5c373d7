import ClientCore
import RoomEngine
import RoomTestKit
import Testing
import WireFormat

@Suite struct DeliveryTests {
  /// Moves a crate and raises events, so that every tick has a frame with some of everything.
  private func enliven(_ stage: Stage) {
    let keys = stage.keys
    stage.game.onOpened = nil
    stage.game.onTick = { room in
      let tick = room.tick.rawValue
      if room.entities(TestSchema.crate).isEmpty { _ = room.create(TestSchema.crate) }
      for crate in room.entities(TestSchema.crate) { room.set(keys.level, of: crate, to: Int(tick % 200)) }
      for avatar in room.entities(TestSchema.avatar) {
        room.set(keys.position, of: avatar, to: SIMD2(Double(tick), -Double(tick)))
        room.set(keys.name, of: avatar, to: "t\(tick)")
      }
      if tick % 2 == 0 { room.raise(20, [UInt8(truncatingIfNeeded: tick)]) }
      if tick % 3 == 0, let first = room.players.first {
        room.whisper(30, [UInt8(truncatingIfNeeded: tick)], to: first)
      }
    }
  }

  @Test func whoIsUpToDateGetsOneWriteATick() throws {
    let stage = try Stage()
    enliven(stage)
    let ann = stage.join(1)[0]
    let before = ann.connection?.writes ?? 0
    stage.room.advance(ticks: 20)
    #expect((ann.connection?.writes ?? 0) - before == 20)
    #expect(ann.framesApplied == 21)
    stage.finish()
  }

  @Test func nothingIsSentWhenNothingHappenedButAHeartbeat() throws {
    let stage = try Stage()
    let ann = stage.join(1)[0]
    let before = (ann.connection?.writes ?? 0, ann.connection?.bytesArrived ?? 0)
    stage.room.advance(ticks: 29)
    #expect(ann.connection?.writes == before.0)
    stage.room.advance(ticks: 61)
    #expect(ann.framesApplied == 4)
    // Length, type, flags, tick, span.
    #expect((ann.connection?.bytesArrived ?? 0) - before.1 == 3 * 5)
    stage.finish()
  }

  @Test func motionBelowAStepCostsNothing() throws {
    let stage = try Stage()
    let ann = stage.join(1)[0]
    let avatar = try stage.avatar(of: ann)
    stage.game.onTick = { [keys = stage.keys] room in room.set(keys.position, of: avatar, to: SIMD2(0.1, -0.1)) }
    let frames = stage.room.room.counters.frames
    stage.room.advance(ticks: 20)
    #expect(stage.room.room.counters.frames == frames)
    stage.finish()
  }

  /// From 0 bytes a write up to more than a keyframe has.
  @Test(arguments: 0..<24)
  func writesOfAnySizeComeThroughWhole(part: Int) throws {
    for size in stride(from: part, to: 480, by: 24) {
      let stage = try Stage()
      enliven(stage)
      let ann = stage.join()
      ann.connection?.mostBytesPerWrite = size
      stage.room.advance(ticks: 12)
      #expect(ann.tick == stage.room.lastFrame)
      #expect(ann.stateHash == stage.room.stateHash)
      #expect(ann.events.map { $0.payload[0] } == [2, 4, 6, 8, 10, 12])
      #expect(ann.whispers.map { $0.payload[0] } == [3, 6, 9, 12])
      stage.finish()
    }
  }

  /// The pipe blocks at one byte of the stream, whichever, and takes the rest two ticks later.
  @Test(arguments: 0..<24)
  func aWriteMayBlockAtAnyByte(part: Int) throws {
    var length = Int.max
    var offset = part
    while offset < length {
      let stage = try Stage()
      enliven(stage)
      let ann = stage.connect()
      ann.connection?.stall()
      ann.connection?.grant(offset)
      ann.join()
      for _ in 0..<10 {
        stage.room.advance(ticks: 2)
        if ann.connection?.isBlocked == true { ann.connection?.flow() }
      }
      ann.connection?.flow()
      stage.room.advance(by: .zero)
      #expect(ann.isInRoom && ann.tick == stage.room.lastFrame, "blocked at \(offset)")
      #expect(ann.events.map { $0.payload[0] } == (1...10).map { $0 * 2 })
      #expect(ann.whispers.map { $0.payload[0] } == [3, 6, 9, 12, 15, 18])
      length = ann.connection?.bytesArrived ?? 0
      stage.finish()
      offset += 24
    }
  }

  @Test func aLaggardCatchesUpWithEverythingContiguousInOneWrite() throws {
    let stage = try Stage()
    enliven(stage)
    let ann = stage.join(1)[0]
    ann.connection?.stall()
    // For less than what makes a keyframe the better answer.
    stage.room.advance(ticks: 5)
    #expect(ann.framesApplied == 1)
    #expect(ann.connection?.isBlocked == true)
    let writes = ann.connection?.writes ?? 0
    ann.connection?.flow()
    stage.room.advance(by: .zero)
    #expect(ann.framesApplied == 6)
    #expect(ann.connection?.writes == writes + 1)
    #expect(ann.keyframes == 1)
    #expect(stage.room.room.counters.skips == 0)
    stage.finish()
  }

  /// Small frames of a large state: together they are less than a keyframe.
  @Test func aLongLogIsReplayedInSeveralWrites() throws {
    var limits = RoomLimits()
    limits.frameLogFrames = 512
    let stage = try Stage(avatars: 96, limits)
    let keys = stage.keys
    stage.game.onOpened = nil
    stage.game.onTick = { room in
      while room.entities(TestSchema.avatar).count < 90, let avatar = room.create(TestSchema.avatar) {
        let number = Double(room.entities(TestSchema.avatar).count)
        room.set(keys.position, of: avatar, to: SIMD2(number * 1.5 - 77, 91 - number * 2))
        room.set(keys.yaw, of: avatar, to: number * 11)
        room.set(keys.name, of: avatar, to: "avatar no \(Int(number))")
      }
      let crate = room.entities(TestSchema.crate).first ?? room.create(TestSchema.crate)
      if let crate { room.set(keys.level, of: crate, to: Int(room.tick.rawValue % 7)) }
    }
    let ann = stage.join(1)[0]
    ann.connection?.stall()
    stage.room.advance(ticks: 70)
    let writes = ann.connection?.writes ?? 0
    ann.connection?.flow()
    stage.room.advance(by: .zero)
    #expect(ann.framesApplied == 71 && ann.keyframes == 1)
    // The one in flight came first; 69 frames are left, 64 a write.
    #expect((ann.connection?.writes ?? 0) - writes >= 2)
    stage.finish()
  }

  /// However often: each skip brings it up to date.
  @Test func noNumberOfSkipsEvictsWhoDrains() throws {
    var limits = RoomLimits()
    limits.frameLogFrames = 4
    let stage = try Stage(limits)
    enliven(stage)
    let ann = stage.join(1)[0]
    for skip in 1...40 {
      ann.connection?.stall()
      stage.room.advance(ticks: 8)
      ann.connection?.flow()
      stage.room.advance(ticks: 1)
      #expect(ann.isConnected && ann.stateHash == stage.room.stateHash)
      #expect(stage.room.room.counters.skips == UInt64(skip))
    }
    #expect(ann.events.compactMap(\.number) == (2..<(UInt64(ann.events.count) + 2)).map { $0 })
    stage.finish()
  }

  @Test func whoTakesNothingIsGoneAtTheStallDeadline() throws {
    let stage = try Stage()
    enliven(stage)
    let ann = stage.join(1)[0]
    ann.connection?.stall()
    stage.room.advance(by: .milliseconds(4990))
    #expect(ann.isConnected)
    stage.room.advance(by: .milliseconds(100))
    #expect(!ann.isConnected)
    #expect(ann.connection?.end?.text == "nothing was read for 5.0 seconds")
    stage.finish()
  }

  /// Leave and Join, sent on and on by one that reads nothing: the same write is in flight all the time.
  @Test func leavingAndJoiningAgainDoesNotProlongTheStallDeadline() throws {
    let stage = try Stage()
    enliven(stage)
    let ann = stage.join(1)[0]
    ann.connection?.stall()
    stage.room.advance(ticks: 2)
    let join = Join(room: stage.room.room.name, roomKind: stage.room.room.kind.name)
    ann.send(raw: encodedBytes(bound: 1 + messageOverhead) { $0.put(empty: .leave) })
    stage.room.advance(ticks: 1)
    ann.send(raw: encodedBytes(bound: join.bound + messageOverhead) { join.encode(into: &$0) })
    stage.room.advance(by: .seconds(5))
    stage.room.advance(ticks: 2)
    #expect(!ann.isConnected)
    #expect(ann.connection?.end?.text == "nothing was read for 5.0 seconds")
    stage.finish()
  }

  @Test func whoDribblesIsGoneAtTheLagDeadline() throws {
    let stage = try Stage()
    enliven(stage)
    let ann = stage.join(1)[0]
    ann.connection?.stall()
    for _ in 0..<14 {
      stage.room.advance(by: .seconds(1))
      ann.connection?.grant(1)
    }
    #expect(ann.isConnected)
    for _ in 0..<2 {
      stage.room.advance(by: .seconds(1))
      ann.connection?.grant(1)
    }
    #expect(ann.connection?.end?.text == "took less than a keyframe every 2 s for 15.0 seconds")
    stage.finish()
  }

  /// Write after write completes, and each time the next one waits already: that is one lag, not many short ones.
  @Test func whoTakesLessThanAKeyframeInTwoSecondsIsGoneAtTheLagDeadline() throws {
    let stage = try Stage()
    enliven(stage)
    let ann = stage.join(1)[0]
    ann.connection?.stall()
    for second in 0..<16 {
      if second == 14 { #expect(ann.isConnected) }
      stage.room.advance(by: .seconds(1))
      ann.connection?.grant(8)
    }
    #expect(ann.connection?.end?.text == "took less than a keyframe every 2 s for 15.0 seconds")
    stage.finish()
  }

  @Test func whoBlocksEveryTimeButKeepsUpIsNoLaggard() throws {
    let stage = try Stage()
    enliven(stage)
    let ann = stage.join(1)[0]
    ann.connection?.mostBytesPerWrite = 3
    stage.room.advance(by: .seconds(40))
    #expect(ann.isConnected)
    #expect(ann.tick == stage.room.lastFrame)
    stage.finish()
  }

  @Test func aStalledMemberChangesNothingForTheOthers() throws {
    func bytes(stalling: Bool) throws -> (arrived: Int, frames: UInt64, hash: UInt64?) {
      let stage = try Stage()
      enliven(stage)
      let both = stage.join(2)
      if stalling { both[1].connection?.stall() }
      stage.room.advance(ticks: 60)
      let result = (both[0].connection?.bytesArrived ?? 0, stage.room.room.counters.frames, both[0].stateHash)
      stage.finish()
      return result
    }
    let (calm, stalled) = (try bytes(stalling: false), try bytes(stalling: true))
    #expect(calm.arrived == stalled.arrived && calm.frames == stalled.frames && calm.hash == stalled.hash)
  }

  @Test func aStalledMemberHoldsNoMoreThanItsWriteInFlight() throws {
    var limits = RoomLimits()
    limits.frameLogFrames = 8
    let stage = try Stage(limits)
    let both = stage.join(2)
    stage.game.onTick = { [keys = stage.keys] room in
      for avatar in room.entities(TestSchema.avatar) {
        room.set(keys.position, of: avatar, to: SIMD2(Double(room.tick.rawValue % 100), 0))
      }
    }
    stage.room.advance(ticks: 20)
    let before = stage.room.heldBuffers
    both[1].connection?.stall()
    stage.room.advance(ticks: 60)
    #expect(stage.room.heldBuffers == before + 1)
    stage.finish()
  }

  @Test func itsOwnMessagesAreBounded() throws {
    var limits = RoomLimits()
    limits.backlogBytes = .kib(4)
    let stage = try Stage(limits)
    let both = stage.join(2)
    both[1].connection?.stall()
    stage.game.onTick = { room in
      room.whisper(30, Array(repeating: 1, count: 500), to: PlayerID(rawValue: 1), reliably: false)
    }
    stage.room.advance(ticks: 8)
    #expect(both[1].isConnected)
    stage.room.advance(ticks: 3)
    #expect(!both[1].isConnected)
    #expect(both[1].connection?.end?.reason == .slowConsumer)
    stage.finish()
  }
}
