import RoomEngine

/// Whether the process should be restarted, and whether players should be sent to it.
extension AdminReadings {
  /// A loop that said nothing for so long is stuck: loops publish every ``ServerLoop/sweepMilliseconds``. Generous, since
  /// whoever asks restarts the process, and all its players lose their rooms.
  static let stuckLoopNanoseconds: UInt64 = 5_000_000_000
  /// Ticks that are overdue for so long stand still, 60 of them at 30 Hz; so does a loop that did not publish.
  static let stoppedTicksNanoseconds: UInt64 = 2_000_000_000

  /// Why the process is no longer alive; empty while all loops turn.
  var livenessFaults: [String] {
    loops.enumerated().compactMap { index, loop in
      let age = now.nanoseconds(since: loop.publishedAt)
      guard loop.phase != .ended, age > Self.stuckLoopNanoseconds else { return nil }
      return "loop \(index) has not turned for \(seconds(age)) s"
    }
  }

  /// Why no further players should come; empty when ready.
  var readinessFaults: [String] {
    var faults = isDraining ? ["draining: the server is shutting down"] : []
    if let lameDuck {
      let left = seconds(lameDuck.until.nanoseconds(since: now))
      faults.append("lame duck: no new rooms, those there end within \(left) s, rooms: \(total.census.rooms)")
    }
    for (index, loop) in loops.enumerated() where loop.phase != .ended {
      let age = now.nanoseconds(since: loop.publishedAt)
      let overdue = loop.tickDue.map { now.nanoseconds(since: $0) } ?? 0
      if age > Self.stoppedTicksNanoseconds {
        faults.append("ticks stopped: loop \(index) has not turned for \(seconds(age)) s")
      } else if overdue > Self.stoppedTicksNanoseconds {
        faults.append("ticks stopped: loop \(index) is \(seconds(overdue)) s late, rooms on it: \(loop.census.rooms)")
      }
    }
    if memory.pressure != .normal { faults.append("over budget: memory pressure is \(memory.pressure.rawValue)") }
    return faults
  }

  /// With one decimal.
  private func seconds(_ nanoseconds: UInt64) -> String {
    "\(nanoseconds / 1_000_000_000).\(nanoseconds / 100_000_000 % 10)"
  }
}
