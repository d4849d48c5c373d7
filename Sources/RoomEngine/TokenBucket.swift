/// A rate limit: `perSecond` on average, `burst` at once.
package struct TokenBucket: Sendable {
  /// Billionths of a token, so that time needs no floating point.
  private var nanotokens: UInt64
  private var last: Instant
  private let perSecond: UInt64
  private let burst: UInt64

  /// - Parameter former: the bucket that this one takes the place of: full again it would be no limit for those who change places.
  package init(perSecond: Int, burst: Int, now: Instant, inPlaceOf former: TokenBucket? = nil) {
    self.perSecond = UInt64(perSecond)
    self.burst = UInt64(burst) * 1_000_000_000
    nanotokens = min(self.burst, former?.nanotokens ?? self.burst)
    last = former?.last ?? now
  }

  /// Takes tokens; false, and none are taken, when there are not as many.
  package mutating func take(_ count: Int = 1, now: Instant) -> Bool {
    // Beyond the time that fills it the bucket is full; the bound keeps the product within 64 bits.
    let elapsed = min(now.nanoseconds(since: last), burst / perSecond + 1)
    nanotokens = min(burst, nanotokens + elapsed * perSecond)
    last = max(last, now)
    let wanted = UInt64(count) * 1_000_000_000
    guard nanotokens >= wanted else { return false }
    nanotokens -= wanted
    return true
  }
}
