package import RoomEngine
import RoomTestKit
package import WireFormat

/// What a seed stands for: a random life of a room, and for some seeds the comparisons that need several.
package struct Simulation: Sendable {
  /// What went wrong; empty unless something did.
  package private(set) var faults: [String] = []
  /// What the random life did.
  package private(set) var counters = RoomCounters()
  /// Its connections by the reason for which they ended.
  package private(set) var ends: [CloseReason: Int] = [:]

  package init(seed: UInt64) throws {
    let life = try RandomRun(seed: seed)
    life.run()
    faults += life.faults
    counters = life.room.room.counters
    ends = life.room.ends
    guard faults.isEmpty else { return }
    // 10: the same seed gives the same frames, bit for bit.
    if seed % 8 == 0 {
      let again = try RandomRun(seed: seed)
      again.run()
      if again.digest != life.digest { faults.append("the second run of the same seed sent other bytes") }
    }
    if seed % 4 == 1 { faults += try PairedRun(seed: seed).faults() }
    if seed % 16 == 2 { faults += try CycleRun(seed: seed).faults() }
  }
}
