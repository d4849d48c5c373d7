import RoomEngine

/// What is done, reading by reading, when memory grows though the plan fits: a game that allocates more than it declares,
/// or somebody else in the same container.
///
/// 1. Nobody is admitted any more, from 85% on, or from where 85% would be reached before the next reading.
/// 2. Laggards are evicted, worst first, from 93% on.
/// 3. When none is left, or they give too little back in time, the newest rooms are closed: one, then its memory is
///    returned to the system and read anew, then the next if that was not enough.
///
/// What grows faster than it is read cannot be stopped: one allocation of all that is left, in one tick.
struct MemoryGuard {
  enum Step: Equatable {
    case none
    /// Close the newest room, return its memory, read again.
    case closeRoom
  }

  /// What follows from a reading.
  struct Judgement: Equatable {
    var level = PressureLevel.normal
    var step = Step.none
    /// Until the next reading.
    var milliseconds = MemoryGuard.calmMilliseconds
  }

  /// Between two readings while all is well, and while memory is short or grows fast.
  static let calmMilliseconds: UInt64 = 250
  static let busyMilliseconds: UInt64 = 50
  /// While a room is being closed, and after its memory was returned.
  static let quickMilliseconds: UInt64 = 20
  /// Laggards and idle memory are given this long to be enough before a room is closed.
  static let sheddingMilliseconds: UInt64 = 500
  static let holdMilliseconds: UInt64 = 1000
  /// From here on nothing is waited for.
  private static let lastPercent = 97
  /// What the growth of now is carried forward by: until it is known whether admissions were all of it, and until a room
  /// is closed and its memory returned.
  private static let admissionSeconds = 0.25
  private static let closingSeconds = 0.5

  /// Of every limit that is enforced: each has its own hysteresis, since the one that is nearest to its end may be
  /// another at every reading.
  private var gauges: [String: PressureGauge] = [:]
  private var before: MemoryReading?
  private var idleBytes: Int?
  private var refusing = false
  /// For how long admissions still rest after growth has ended them: rates jump from reading to reading.
  private var heldMilliseconds: UInt64 = 0
  private var criticalMilliseconds: UInt64 = 0

  /// - Parameters:
  ///   - elapsed: milliseconds since the reading before.
  ///   - stuckMembers: laggards that could still be evicted.
  mutating func judge(_ reading: MemoryReading, after elapsed: UInt64, stuckMembers: Int) -> Judgement {
    defer { before = reading }
    if idleBytes == nil { idleBytes = reading.rssBytes }
    let grown = levelByGrowth(reading, elapsed)
    var judgement = Judgement()
    let measured = measure(reading)
    heldMilliseconds = grown > .normal ? Self.holdMilliseconds : heldMilliseconds - min(elapsed, heldMilliseconds)
    judgement.level = max(measured.all, grown, heldMilliseconds > 0 ? .high : .normal)
    if judgement.level > .normal || isNear(reading, elapsed) { judgement.milliseconds = Self.busyMilliseconds }
    refusing = judgement.level > .normal
    criticalMilliseconds = measured.ofProcess == .critical ? criticalMilliseconds + elapsed : 0
    guard max(measured.ofProcess, grown) == .critical, roomsCanHelp(reading) else { return judgement }
    let isLast = reading.usages.contains { !$0.isOfSockets && $0.share * 100 >= Double(Self.lastPercent) }
    let isShed = stuckMembers == 0 && criticalMilliseconds > Self.sheddingMilliseconds
    // Growth that admissions do not explain will not wait for laggards either.
    if isLast || isShed || grown == .critical { judgement.step = .closeRoom }
    return judgement
  }

  /// After a room was closed and its memory returned: what it held is no growth of others.
  mutating func returned(_ reading: MemoryReading) { before = reading }

  /// The worst level of all limits, and of those that what the process allocates counts against.
  private mutating func measure(_ reading: MemoryReading) -> (all: PressureLevel, ofProcess: PressureLevel) {
    var gauges: [String: PressureGauge] = [:]
    var levels = (all: PressureLevel.normal, ofProcess: PressureLevel.normal)
    for usage in reading.usages {
      var gauge = self.gauges[usage.source] ?? PressureGauge()
      _ = gauge.note(usage.usedBytes, of: usage.limitBytes)
      gauges[usage.source] = gauge
      levels.all = max(levels.all, gauge.level)
      if !usage.isOfSockets { levels.ofProcess = max(levels.ofProcess, gauge.level) }
    }
    self.gauges = gauges
    return levels
  }

  private func levelByGrowth(_ reading: MemoryReading, _ elapsed: UInt64) -> PressureLevel {
    // Not before nobody is admitted any more: a crowd that comes within the plan is no reason to close rooms. Nor are
    // sockets that fill when a network fails: the plan counts them, and they are in no resident memory.
    let rssGrowth = before.map { max(0, reading.rssBytes - $0.rssBytes) } ?? 0
    let critical = PressureGauge.criticalPercent
    if refusing, willReach(critical, reading, elapsed, Self.closingSeconds, mostGrowth: rssGrowth) { return .critical }
    return willReach(PressureGauge.highPercent, reading, elapsed, Self.admissionSeconds) ? .high : .normal
  }

  /// Whether the next readings should be soon.
  private func isNear(_ reading: MemoryReading, _ elapsed: UInt64) -> Bool {
    willReach(PressureGauge.highPercent, reading, elapsed, 4 * Self.admissionSeconds)
  }

  private func willReach(
    _ percent: Int, _ reading: MemoryReading, _ elapsed: UInt64, _ seconds: Double, mostGrowth: Int = .max
  ) -> Bool {
    guard let before, elapsed > 0 else { return false }
    return reading.usages.contains { usage in
      guard !usage.isOfSockets, let earlier = before.usages.first(where: { $0.source == usage.source }) else {
        return false
      }
      let growth = min(max(0, usage.usedBytes - earlier.usedBytes), mostGrowth)
      let perSecond = Double(growth) * 1000 / Double(elapsed)
      // Little growth is a level that is about to be reached, and is judged when it is.
      guard perSecond * seconds * 100 >= Double(usage.limitBytes) else { return false }
      return Double(usage.usedBytes) + perSecond * seconds >= Double(usage.limitBytes) / 100 * Double(percent)
    }
  }

  /// Whether what the process has taken since it started is enough to leave the level: else others in the same container
  /// use the memory, and closing rooms would not help.
  private func roomsCanHelp(_ reading: MemoryReading) -> Bool {
    let own = reading.usages.filter { !$0.isOfSockets }
    guard let worst = own.max(by: { $0.share < $1.share }), let idleBytes else { return false }
    let excess = worst.usedBytes - worst.limitBytes / 100 * PressureGauge.criticalLeavePercent
    return reading.rssBytes - idleBytes >= max(excess, 0)
  }
}
