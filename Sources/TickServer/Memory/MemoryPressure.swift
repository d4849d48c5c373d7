import EventLoop
import RoomEngine
import Synchronization

/// How short of memory the server is. Written by the monitor and the loops, read by everyone.
package final class MemoryPressure: Sendable {
  /// What is known of the memory now, for metrics and logs.
  package struct Snapshot: Sendable {
    package var level = PressureLevel.normal
    /// The process's resident memory, in bytes.
    package var rssBytes = 0
    /// What counts against the limit, in bytes.
    package var usedBytes = 0
    /// What members hold for themselves, of the laggards' budget.
    package var laggardBytes = 0
    /// Times that a level above normal was entered.
    package var timesHigh: UInt64 = 0
    package var timesCritical: UInt64 = 0
  }

  private struct State {
    var snapshot = Snapshot()
    var memory = PressureGauge()
    var laggards = PressureGauge()
    var laggardBytesOfLoop: [Int]
  }

  /// Bytes that there may be; nil when nothing limits them.
  package let limit: ByteCount?
  package let laggardBudget: ByteCount
  private let state: Locked<State>
  /// The level alone, for those who ask at every connection.
  private let published = Atomic<Int>(PressureLevel.normal.severity)

  init(limit: ByteCount?, laggardBudget: ByteCount, loops: Int) {
    self.limit = limit
    self.laggardBudget = laggardBudget
    state = Locked(State(laggardBytesOfLoop: Array(repeating: 0, count: loops)))
  }

  /// The level now; costs a load.
  package var level: PressureLevel { PressureLevel.allCases[published.load(ordering: .relaxed)] }

  package var snapshot: Snapshot { state.withLock { $0.snapshot } }

  /// Takes a reading of the process's memory and what the loops told last.
  ///
  /// - Returns: the snapshot when the level has changed.
  func note(_ reading: MemoryReading) -> Snapshot? {
    let changed: Snapshot? = state.withLock { state in
      state.snapshot.rssBytes = reading.rssBytes
      state.snapshot.usedBytes = reading.usedBytes
      state.snapshot.laggardBytes = state.laggardBytesOfLoop.reduce(0, +)
      if let limit { _ = state.memory.note(reading.usedBytes, of: limit.bytes) }
      _ = state.laggards.note(state.snapshot.laggardBytes, of: laggardBudget.bytes)
      // Laggards over their budget are evicted by it; here they only keep others from coming.
      let level = max(state.memory.level, min(state.laggards.level, .high))
      guard level != state.snapshot.level else { return nil }
      if level == .high, state.snapshot.level == .normal { state.snapshot.timesHigh += 1 }
      if level == .critical { state.snapshot.timesCritical += 1 }
      state.snapshot.level = level
      return state.snapshot
    }
    if let changed { published.store(changed.level.severity, ordering: .relaxed) }
    return changed
  }

  /// A loop tells what its members hold.
  ///
  /// - Returns: bytes that it has to get rid of, 0 when all loops together are within the budget. Of those over it, only
  ///   loops that hold more than their share have to.
  func excess(ofLoop loop: Int, holding bytes: Int) -> Int {
    state.withLock { state in
      state.laggardBytesOfLoop[loop] = bytes
      let others = state.laggardBytesOfLoop.reduce(0, +) - bytes
      guard others + bytes > laggardBudget.bytes else { return 0 }
      let share = max(laggardBudget.bytes / state.laggardBytesOfLoop.count, laggardBudget.bytes - others)
      return max(0, bytes - share)
    }
  }
}
