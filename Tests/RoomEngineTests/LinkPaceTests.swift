import ClientCore
import RoomEngine
import RoomTestKit
import Testing
import WireFormat

/// What waits for a member is bounded by time: clients that read slowly, on simulated time.
@Suite struct LinkPaceTests {
  /// A room that makes some 300 bytes a frame, with keyframes of some 500.
  private func busyStage(_ limits: RoomLimits = RoomLimits()) throws -> Stage {
    let stage = try Stage(capacity: 64, limits)
    let keys = stage.keys
    stage.game.onOpened = nil
    stage.game.onTick = { room in
      let tick = Int(room.tick.rawValue)
      while room.entities(TestSchema.crate).count < 16 { _ = room.create(TestSchema.crate) }
      for (index, crate) in room.entities(TestSchema.crate).enumerated() {
        room.set(keys.level, of: crate, to: (tick * 7 + index * 31) % 256)
      }
      for avatar in room.entities(TestSchema.avatar) { room.set(keys.name, of: avatar, to: "tick \(tick)") }
      if tick % 3 == 0 { room.raise(20, [UInt8(truncatingIfNeeded: tick / 3)]) }
    }
    return stage
  }

  /// Ages in ticks of what a client sees, after every tick; it takes so many bytes a tick.
  private func ages(bytesPerTick: Int, ticks: Int, _ stage: Stage) -> (client: SimulatedClient, ages: [UInt32]) {
    let client = stage.join(1)[0]
    // What its kernel has taken, its program reads at its own pace.
    client.connection?.readsBytesPerTick = bytesPerTick
    var ages: [UInt32] = []
    for _ in 0..<ticks {
      stage.room.advance(ticks: 1)
      ages.append(stage.room.room.tick.rawValue - (client.tick?.rawValue ?? 0))
    }
    return (client, ages.sorted())
  }

  @Test(arguments: [40, 80, 160, 240])
  func whoReadsSlowlySeesFreshStateAndStays(bytesPerTick: Int) throws {
    let stage = try busyStage()
    let (client, ages) = ages(bytesPerTick: bytesPerTick, ticks: 1200, stage)
    #expect(client.isConnected)
    let keyframe = stage.room.room.withKeyframe { $0.count }
    let bound = max(15, 2 * keyframe / bytesPerTick + 2)
    #expect(Int(ages[ages.count * 95 / 100]) <= bound, "two keyframes of \(keyframe) bytes")
    #expect(client.events.count > 100)
    // The first is that it joined.
    let isInOrder = client.events.compactMap(\.number) == (2..<(UInt64(client.events.count) + 2)).map { $0 }
    #expect(isInOrder)
    stage.finish()
  }

  @Test func whoReadsFasterAgainGetsEveryFrameAgain() throws {
    let stage = try busyStage()
    let (client, _) = ages(bytesPerTick: 40, ticks: 300, stage)
    client.connection?.readsBytesPerTick = nil
    stage.room.advance(ticks: 300)
    let frames = (client.framesApplied, client.keyframes)
    stage.room.advance(ticks: 60)
    #expect(client.framesApplied - frames.0 == 60 && client.keyframes == frames.1)
    #expect(client.tick == stage.room.lastFrame)
    stage.finish()
  }

  @Test func whoReadsLessThanAKeyframeInTwoSecondsIsEvicted() throws {
    let stage = try busyStage()
    let (client, _) = ages(bytesPerTick: 2, ticks: 1800, stage)
    #expect(client.connection?.end?.reason == .slowConsumer)
    stage.finish()
  }

  @Test func whoStopsReadingAndTalksOnIsEvicted() throws {
    let stage = try busyStage()
    let (client, _) = ages(bytesPerTick: 200, ticks: 100, stage)
    client.connection?.readsBytesPerTick = 0
    for _ in 0..<600 where client.isConnected {
      client.raise(30, reliably: false)
      stage.room.advance(ticks: 1)
    }
    #expect(client.connection?.end?.reason == .slowConsumer)
    stage.finish()
  }

  /// Events that many missed at the same time are one buffer for all of them.
  @Test func manyWhoMissedTheSameHoldItOnce() throws {
    var limits = RoomLimits()
    limits.frameLogFrames = 8
    limits.eventLogBytes = .kib(32)
    limits.stallDeadline = .seconds(60)
    limits.lagDeadline = .seconds(60)
    let stage = try Stage(capacity: 64, limits)
    let members = stage.join(50)
    stage.room.advance(ticks: 30)
    for member in members { member.connection?.stall() }
    stage.game.onTick = { room in room.raise(20, Array(repeating: 1, count: 900)) }
    stage.room.advance(ticks: 30)
    let pool = stage.room.pool
    let before = pool.usage.leasedBytes
    // Each takes the rest of its frame, and no more.
    for member in members { member.connection?.grant(member.connection?.flightBytes ?? 0) }
    stage.room.advance(ticks: 1)
    #expect(members.allSatisfy { $0.connection?.isBlocked == true })
    #expect(pool.usage.highWaterBytes <= before + 50 * 1024 + 2 * limits.eventLogBytes.bytes)
    for member in members { member.connection?.flow() }
    stage.room.advance(ticks: 2)
    #expect(members.allSatisfy { $0.events.count == 33 && $0.isConnected })
    stage.finish()
  }

  @Test func aResyncWaitsWhileThereIsNoMemoryForTheEventsThatWereMissed() throws {
    var limits = RoomLimits()
    limits.frameLogFrames = 8
    let stage = try Stage(limits)
    let ann = stage.join(1)[0]
    stage.room.advance(ticks: 30)
    ann.connection?.stall()
    stage.game.onTick = { room in room.raise(20, [1]) }
    stage.room.advance(ticks: 30)
    stage.room.context.mayLease = { _ in false }
    ann.connection?.flow()
    stage.room.advance(ticks: 5)
    #expect(ann.tick != stage.room.lastFrame && ann.isConnected)
    stage.room.context.mayLease = { _ in true }
    stage.room.advance(ticks: 1)
    #expect(ann.tick == stage.room.lastFrame && ann.events.count == 36)
    stage.finish()
  }

  /// Its Welcome was still under way when it was seated.
  @Test func aNewcomerWhoseSocketIsBlockedMissesNoEventAfterItsSeating() throws {
    let stage = try Stage()
    let ann = stage.join(1)[0]
    let bob = stage.connect()
    bob.connection?.stall()
    bob.core.ping(now: 1)
    bob.join()
    stage.game.onTick = { room in room.raise(20, [UInt8(truncatingIfNeeded: room.tick.rawValue)]) }
    stage.room.advance(ticks: 1)
    let seated = stage.room.room.tick.rawValue
    let carol = stage.join()
    stage.room.advance(ticks: 5)
    bob.connection?.flow()
    stage.room.advance(ticks: 1)
    #expect(bob.isInRoom)
    #expect(bob.events.map { UInt32($0.payload[0]) } == ((seated + 1)...(seated + 6)).map { $0 })
    #expect(try bob.players == ann.players && bob.players.contains(#require(carol.player)))
    stage.finish()
  }
}
