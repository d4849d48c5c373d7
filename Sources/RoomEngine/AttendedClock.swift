/// The time by which a loop judges others: real time without the time in which the loop itself stood still.
///
/// Whoever was silent while nobody listened did nothing wrong: the process was stopped, the machine slept, a game took
/// seconds for a tick. What such a peer said lies in its socket. So time that nobody looked at hardly counts, and for a moment
/// after it nobody is judged, while the loop reads what waits: read first, judge then.
///
/// Deadlines are marked and judged by this clock. Ticks, the times that clients are told, and everything that others wait
/// for (the end of a drain) keep real time.
package struct AttendedClock: Sendable {
  /// A loop looks at least every 250 ms; a longer gap than this is no work.
  package static let longestAttendedNanoseconds: UInt64 = 500_000_000
  /// What a standstill counts as: a loop that is late again and again still comes to its deadlines.
  package static let standstillCountsNanoseconds: UInt64 = 100_000_000
  /// For so long after a standstill nobody is judged: enough for a few turns of the loop.
  package static let catchingUpNanoseconds: UInt64 = 250_000_000

  /// The time as of the last look.
  package private(set) var now: Instant
  private var looked: Instant
  /// The last look came after a standstill.
  private var wasLate = false
  private var catchesUpUntil: Instant
  /// For clocks that a test moves.
  private let ignoresStandstills: Bool

  package init(_ start: Instant, ignoresStandstills: Bool = false) {
    now = start
    looked = start
    catchesUpUntil = start
    self.ignoresStandstills = ignoresStandstills
  }

  /// Whether what came during a standstill may still wait to be read.
  package var isCatchingUp: Bool { looked < catchesUpUntil }

  /// Looks at a clock that shows `real`.
  ///
  /// - Returns: ``now``. A time before that of the last look changes nothing.
  package mutating func look(_ real: Instant) -> Instant {
    let step = real.nanoseconds(since: looked)
    guard step > 0 else { return now }
    looked = real
    let stoodStill = step > Self.longestAttendedNanoseconds && !ignoresStandstills
    // A loop whose every turn takes so long has read in between: it would never judge anybody.
    if stoodStill, !wasLate { catchesUpUntil = real.advanced(byNanoseconds: Self.catchingUpNanoseconds) }
    wasLate = stoodStill
    now = now.advanced(byNanoseconds: stoodStill ? Self.standstillCountsNanoseconds : step)
    return now
  }
}
