import ClientCore
import RoomEngine
import RoomSimulation
import RoomTestKit
import Testing
import WireFormat

@Suite struct DeterminismTests {
  /// The bytes of every frame and keyframe of a short game.
  private func frames(seed: UInt64) throws -> [[UInt8]] {
    var random = SplitMix64(seed: seed)
    let stage = try Stage(seed: seed)
    stage.room.fragmentsReads = true
    let clients = stage.join(4)
    let avatars = try clients.map { try stage.avatar(of: $0) }
    let keys = stage.keys
    var found: [[UInt8]] = []
    for _ in 0..<40 {
      for (client, avatar) in zip(clients, avatars) {
        try client.set(keys.position, of: avatar, to: SIMD2(Double(random.below(200)) - 100, 7))
        if random.oneIn(4) { client.raise(20, [UInt8(random.below(256))]) }
      }
      stage.room.advance(ticks: 1)
      found.append(Array(stage.room.room.frames.frame(stage.room.room.frames.head).buffer.bytes))
      found.append(stage.room.room.withKeyframe { Array($0) })
    }
    stage.finish()
    return found
  }

  @Test func theSameSeedAndInputsGiveTheSameBytes() throws {
    let (once, again, other) = (try frames(seed: 5), try frames(seed: 5), try frames(seed: 6))
    #expect(once == again)
    #expect(once != other)
  }

  /// The order in which clients are served must not show in the frames.
  @Test func aRandomLifeIsTheSameTwice() throws {
    for seed: UInt64 in 1...20 {
      let runs = try (0..<2).map { _ in try RandomRun(seed: seed) }
      for run in runs { run.run() }
      #expect(runs[0].room.room.counters == runs[1].room.room.counters)
      #expect(runs[0].digest != 0 && runs[0].digest == runs[1].digest)
    }
  }
}
