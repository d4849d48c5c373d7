package import WireFormat

/// When a client that was sent or turned away should come back. All coming at once would only be turned away again, so
/// that each is told another time: the shell draws where in the spread.
package enum RetryAfter {
  /// Those who are sent away by a server that stops come back over as long as it takes to stop, and at most over this:
  /// nobody waits longer because a drain may.
  package static let mostDrainMilliseconds: UInt64 = 10_000
  /// At least.
  package static let drainMilliseconds: UInt64 = 1_000

  /// What a goodbye says, in milliseconds; nil when any time is fine.
  ///
  /// - Parameters:
  ///   - share: Drawn anew for each client, evenly from 0 to 1.
  ///   - drainNanoseconds: How long the server takes to stop.
  package static func milliseconds(_ reason: CloseReason, share: Double, drainNanoseconds: UInt64) -> UInt32? {
    switch reason {
    case .draining:
      let window = min(max(drainNanoseconds / 1_000_000, drainMilliseconds), mostDrainMilliseconds)
      return UInt32(500 + share * Double(window))
    case .connectionLimit, .rateLimited: return around(1000, share: share)
    case .overBudget: return around(overBudgetMilliseconds, share: share)
    default: return nil
    }
  }

  /// When memory may be had again, on average.
  package static let overBudgetMilliseconds: UInt32 = 5000

  /// Half to one and a half of it.
  package static func around(_ milliseconds: UInt32, share: Double) -> UInt32 {
    UInt32(clamping: Int64(Double(milliseconds) * (0.5 + share)))
  }
}
