/// A rate limit: `perSecond` on average, `burst` at once.
package struct TokenBucket: Sendable {
  /// Billionths of a token, so that time needs no floating point.
  private var nanotokens: UInt64
  private var last: Instant
  private let perSecond: UInt64
  private let burst: UInt64
  /// After so long an empty bucket is full; more would not change it, and the bound keeps the product within 64 bits.
  private let fillNanoseconds: UInt64

  /// - Parameter former: the bucket that this one takes the place of: full again it would be no limit for those who change places.
  package init(perSecond: Int, burst: Int, now: Instant, inPlaceOf former: TokenBucket? = nil) {
    self.perSecond = UInt64(perSecond)
    self.burst = UInt64(burst) * 1_000_000_000
    fillNanoseconds = self.burst / UInt64(perSecond) + 1
    nanotokens = min(self.burst, former?.nanotokens ?? self.burst)
    last = former?.last ?? now
  }

  /// Takes tokens; false, and none are taken, when there are not as many.
  package mutating func take(_ count: Int = 1, now: Instant) -> Bool {
    let elapsed = min(now.nanoseconds(since: last), fillNanoseconds)
    nanotokens = min(burst, nanotokens + elapsed * perSecond)
    last = max(last, now)
    let wanted = UInt64(count) * 1_000_000_000
    guard nanotokens >= wanted else { return false }
    nanotokens -= wanted
    return true
  }
}
