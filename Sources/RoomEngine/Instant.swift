/// A moment of the monotonic clock, handed in by whoever drives the engine: the engine never reads a clock.
public struct Instant: Hashable, Comparable, Sendable {
  /// Nanoseconds since an arbitrary origin, the same for all loops of a server.
  public let nanoseconds: UInt64

  /// The moment so many nanoseconds after the origin.
  public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  /// Ordered by time.
  public static func < (one: Instant, other: Instant) -> Bool { one.nanoseconds < other.nanoseconds }

  /// The moment `nanoseconds` later.
  public func advanced(byNanoseconds nanoseconds: UInt64) -> Instant {
    Instant(nanoseconds: self.nanoseconds + nanoseconds)
  }

  /// Nanoseconds since `earlier`, or 0 when it is not earlier.
  public func nanoseconds(since earlier: Instant) -> UInt64 {
    nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0
  }
}

extension Duration {
  /// Whole nanoseconds; negative durations count as 0, those of more than 584 years as all that 64 bits hold.
  package var wholeNanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    let (product, overflows) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, carries) = product.addingReportingOverflow(UInt64(attoseconds / 1_000_000_000))
    return overflows || carries ? .max : sum
  }
}
