public import RoomEngine

/// A clock that starts at 0 and moves only when told to.
public final class ManualClock {
  /// The time now.
  public private(set) var now = Instant(nanoseconds: 0)

  /// A clock that shows 0.
  public init() {}

  /// Moves the clock forward; negative durations count as 0.
  public func advance(by duration: Duration) {
    now = now.advanced(byNanoseconds: duration.wholeNanoseconds)
  }

  /// Moves the clock to a moment, unless it has passed already.
  func advance(to moment: Instant) {
    now = max(now, moment)
  }
}
