/// A clock that is read by games while its estimate is still being corrected: it never runs backwards.
///
/// It stands at local time plus an offset, and the offset moves to its target in the course of time:
///
/// | the target is | the clock |
/// | --- | --- |
/// | up to ``slewedMicroseconds`` away | runs 5% faster or slower until it is there: 20 times the distance, 5 s at most |
/// | farther ahead | steps forward at once: a machine that slept has missed that time |
/// | farther behind | stands still until it is reached: as long as it is behind |
///
/// Pure: local times are arguments, in microseconds of a monotonic clock.
package struct SteadyClock: Equatable, Sendable {
  /// Corrections up to here are too small to see when they are spread.
  package static let slewedMicroseconds: Int64 = 250_000
  /// One microsecond of correction takes so many of time.
  package static let slewing: Int64 = 20

  /// Where the offset stood, and when; from there it is on its way to `target`.
  private var anchor: (local: UInt64, offset: Int64)
  private var target: Int64
  private var pace: Pace

  private enum Pace: Equatable, Sendable {
    case slewing
    /// The offset falls as fast as time passes.
    case standing
  }

  /// Stands at `offset` (this clock minus local time) at once.
  package init(offsetMicroseconds offset: Int64, now: UInt64) {
    anchor = (now, offset)
    target = offset
    pace = .slewing
  }

  /// Sets a new target; the clock goes on from where it stands.
  package mutating func aim(atOffset new: Int64, now: UInt64) {
    // A report that is older than the one before changes nothing about the past.
    let now = max(now, anchor.local)
    let offset = self.offset(at: now)
    let distance = new.subtractingClamped(offset)
    // Once it stands, it stands until it is right: running in between would only make it longer.
    let goesOnStanding = pace == .standing && offset > target && distance < 0
    anchor = (now, distance > Self.slewedMicroseconds ? new : offset)
    target = new
    pace = distance < -Self.slewedMicroseconds || goesOnStanding ? .standing : .slewing
  }

  /// The clock at a local time; not before what it was at any earlier one.
  package func time(at local: UInt64) -> UInt64 {
    let local = max(local, anchor.local)
    let time = Int64(clamping: local).addingClamped(offset(at: local))
    return UInt64(max(0, time))
  }

  private func offset(at local: UInt64) -> Int64 {
    let elapsed = Int64(clamping: local - anchor.local)
    switch pace {
    case .standing: return max(target, anchor.offset.subtractingClamped(elapsed))
    case .slewing:
      let most = elapsed / Self.slewing
      let distance = target.subtractingClamped(anchor.offset)
      return anchor.offset + min(max(distance, -most), most)
    }
  }

  package static func == (one: SteadyClock, other: SteadyClock) -> Bool {
    one.anchor == other.anchor && one.target == other.target && one.pace == other.pace
  }
}

/// A server may tell any time: nothing traps at the ends of the range.
extension Int64 {
  fileprivate func addingClamped(_ other: Int64) -> Int64 {
    let (sum, overflows) = addingReportingOverflow(other)
    return overflows ? (other > 0 ? .max : .min) : sum
  }

  fileprivate func subtractingClamped(_ other: Int64) -> Int64 {
    let (difference, overflows) = subtractingReportingOverflow(other)
    return overflows ? (other < 0 ? .max : .min) : difference
  }
}
