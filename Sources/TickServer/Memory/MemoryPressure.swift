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
    /// Of the limit that is nearest to its end, in bytes: what counts against it, and the limit itself (0: none).
    package var usedBytes = 0
    package var limitBytes = 0
    /// Whose limit that is, in words.
    package var source = ""
    /// What members hold for themselves, of the laggards' budget.
    package var laggardBytes = 0
    /// Times that a level above normal was entered.
    package var timesHigh: UInt64 = 0
    package var timesCritical: UInt64 = 0
  }

  private struct State {
    var snapshot = Snapshot()
    var laggards = PressureGauge()
    var laggardBytesOfLoop: [Int]
    /// Members that each loop could still evict as laggards, when it last looked.
    var stuckOfLoop: [Int]
    var usages: [MemoryReading.Usage] = []
    var quickBytes: Int?
    var readings = 0
  }

  package let laggardBudget: ByteCount
  private let state: Locked<State>
  private let quickBytes: @Sendable () -> Int?
  /// The level alone, for those who ask at every connection.
  private let published = Atomic<Int>(PressureLevel.normal.severity)

  /// - Parameter quickBytes: grows with what is used, byte for byte; nil when nobody knows.
  init(laggardBudget: ByteCount, loops: Int, quickBytes: @escaping @Sendable () -> Int? = { nil }) {
    self.laggardBudget = laggardBudget
    self.quickBytes = quickBytes
    state = Locked(
      State(
        laggardBytesOfLoop: Array(repeating: 0, count: loops), stuckOfLoop: Array(repeating: 0, count: loops)))
  }

  /// The level now; costs a load.
  package var level: PressureLevel { PressureLevel.allCases[published.load(ordering: .relaxed)] }

  package var snapshot: Snapshot { state.withLock { $0.snapshot } }

  /// Takes a reading of the process's memory, how it was judged, and what the loops told last.
  ///
  /// - Returns: the snapshot when the level has changed.
  func note(_ reading: MemoryReading, level memory: PressureLevel) -> Snapshot? {
    let changed: Snapshot? = state.withLock { state in
      state.readings &+= 1
      state.usages = reading.usages
      state.quickBytes = reading.quickBytes
      state.snapshot.rssBytes = reading.rssBytes
      if let worst = reading.worst {
        (state.snapshot.usedBytes, state.snapshot.limitBytes) = (worst.usedBytes, worst.limitBytes)
        state.snapshot.source = worst.source
      } else {
        (state.snapshot.usedBytes, state.snapshot.limitBytes) = (reading.rssBytes, 0)
      }
      state.snapshot.laggardBytes = state.laggardBytesOfLoop.reduce(0, +)
      _ = state.laggards.note(state.snapshot.laggardBytes, of: laggardBudget.bytes)
      // Laggards over their budget are evicted by it; here they only keep others from coming.
      let level = max(memory, min(state.laggards.level, .high))
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

  /// A loop tells how many laggards it could still evict.
  func note(stuck members: Int, onLoop loop: Int) { state.withLock { $0.stuckOfLoop[loop] = members } }

  /// Members of all loops that could still be evicted as laggards.
  var stuckMembers: Int { state.withLock { $0.stuckOfLoop.reduce(0, +) } }

  // MARK: Admissions

  /// How many may be admitted now that each may take so much, though nobody has declared it: the memory is read anew,
  /// since a crowd comes in less time than lies between two readings.
  ///
  /// - Parameters:
  ///   - bytesEach: what one of them may take at once.
  ///   - admitted: how many came on this loop since reading ``Headroom/reading`` and may not have taken it yet.
  /// - Returns: 0 to `Int.max`; at least 1 while there is room for a part of one.
  func mayAdmit(bytesEach: Int) -> Headroom {
    guard level == .normal else { return Headroom(reading: -1, count: 0) }
    let now = quickBytes()
    return state.withLock { state in
      let grown = if let now, let before = state.quickBytes { max(0, now - before) } else { 0 }
      var least = Int.max
      // Games allocate nothing of sockets' own part; the plan bounds what a connection takes of that.
      for usage in state.usages where !usage.isOfSockets {
        let threshold = usage.limitBytes / 100 * PressureGauge.highPercent
        least = min(least, threshold - usage.usedBytes - grown)
      }
      guard least < .max else { return Headroom(reading: state.readings, count: .max) }
      // Others ask at the same time.
      let share = least / state.laggardBytesOfLoop.count / max(1, bytesEach)
      return Headroom(reading: state.readings, count: least > 0 ? max(1, share) : 0)
    }
  }

  struct Headroom {
    /// Which reading it is based on, besides what was read since.
    let reading: Int
    let count: Int
  }
}
