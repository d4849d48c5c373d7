import RoomEngine

/// Everything that an answer of the admin port is made of, as of one moment.
struct AdminReadings: Sendable {
  var now: Instant
  /// When the server started, on the same clock.
  var startedAt: Instant
  /// When the server started, in seconds since 1970.
  var startedUnixSeconds: Double
  var state = ServerLifecycle.State.serving
  /// By index of the loop.
  var loops: [LoopSnapshot]
  var process: ProcessReadings
  var memory = MemoryStatus()
  var lostLogLines: UInt64 = 0

  var uptimeSeconds: Double { Double(now.nanoseconds(since: startedAt)) / 1e9 }

  /// Whether it says goodbye to everyone.
  var isDraining: Bool { state == .draining || state == .ended }

  /// The time that rooms have to finish; nil when it is not limited, or over.
  var lameDuck: LameDuck? { if case .lameDuck(let lameDuck, _) = state { lameDuck } else { nil } }

  /// Of a lame duck, until its deadline.
  var secondsLeft: Double? { lameDuck.map { Double($0.until.nanoseconds(since: now)) / 1e9 } }

  /// All loops together.
  var total: LoopSnapshot {
    loops.reduce(into: LoopSnapshot(publishedAt: now)) { $0.add($1) }
  }

  /// What does not balance, and on which loop.
  var faults: [String] {
    loops.enumerated().flatMap { index, loop in loop.faults.map { "loop \(index): \($0)" } }
  }
}
