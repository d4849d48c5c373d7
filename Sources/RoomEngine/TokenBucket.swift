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

  /// Takes one token; false when there is none.
  package mutating func take(now: Instant) -> Bool {
    // Beyond an hour any bucket is full; the bound keeps the product within 64 bits.
    let elapsed = min(now.nanoseconds(since: last), 3_600_000_000_000)
    nanotokens = min(burst, nanotokens + min(elapsed, burst) * perSecond)
    last = max(last, now)
    guard nanotokens >= 1_000_000_000 else { return false }
    nanotokens -= 1_000_000_000
    return true
  }
}
