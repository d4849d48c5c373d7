/// How short of memory the server is.
package enum PressureLevel: String, Comparable, Sendable, CaseIterable, Encodable {
  /// Everybody is welcome.
  case normal
  /// New connections, rooms and seats are refused; idle memory is given back.
  case high
  /// The worst laggards are evicted too, then the newest rooms are closed.
  case critical

  /// 0, 1, 2.
  package var severity: Int {
    switch self {
    case .normal: 0
    case .high: 1
    case .critical: 2
    }
  }

  package static func < (one: PressureLevel, other: PressureLevel) -> Bool { one.severity < other.severity }
}

/// Turns readings into levels. A level is left only well below where it was entered, so that it does not flicker.
package struct PressureGauge: Sendable {
  /// Percent of the limit from which on nobody is admitted.
  package static let highPercent = high.enter
  package static let criticalPercent = critical.enter
  package static let criticalLeavePercent = critical.leave

  /// Percent of the limit at which a level is entered, and below which it is left.
  private static let high = (enter: 85, leave: 80)
  private static let critical = (enter: 93, leave: 88)

  package private(set) var level = PressureLevel.normal

  package init() {}

  /// Takes a reading.
  ///
  /// - Returns: whether the level changed.
  package mutating func note(_ bytes: Int, of limit: Int) -> Bool {
    let percent = bytes.multipliedSaturating(by: 100) / max(1, limit)
    let before = level
    if percent >= Self.critical.enter || (level == .critical && percent >= Self.critical.leave) {
      level = .critical
    } else if percent >= Self.high.enter || (level >= .high && percent >= Self.high.leave) {
      level = .high
    } else {
      level = .normal
    }
    return level != before
  }
}
