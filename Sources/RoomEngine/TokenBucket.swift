/// A rate limit: `perSecond` on average, `burst` at once.
///
/// Two ways to use it: ``take(_:now:)`` refuses what is too much; ``charge(_:now:)`` counts what was done already, and
/// ``isSpent(now:)`` then says whether to wait.
package struct TokenBucket: Sendable {
  /// Billionths of a token, so that time needs no floating point; below 0 after a charge that was more than there was.
  private var nanotokens: Int64
  private var last: Instant
  private let perSecond: UInt64
  private let burst: Int64
  /// After so long an empty bucket is full; more would not change it, and the bound keeps the product within 64 bits.
  private let fillNanoseconds: UInt64

  /// - Parameter former: the bucket that this one takes the place of: full again it would be no limit for those who change places.
  package init(perSecond: Int, burst: Int, now: Instant, inPlaceOf former: TokenBucket? = nil) {
    self.perSecond = UInt64(perSecond)
    self.burst = Int64(burst) * 1_000_000_000
    fillNanoseconds = UInt64(self.burst) / UInt64(perSecond) + 1
    nanotokens = min(self.burst, former?.nanotokens ?? self.burst)
    last = former?.last ?? now
  }

  /// Takes tokens; false, and none are taken, when there are not as many.
  package mutating func take(_ count: Int = 1, now: Instant) -> Bool {
    refill(now)
    let wanted = Int64(count) * 1_000_000_000
    guard nanotokens >= wanted else { return false }
    nanotokens -= wanted
    return true
  }

  /// Takes tokens whether there are as many or not: what is lacking is made up for before there are any again.
  package mutating func charge(_ count: Int = 1, now: Instant) {
    refill(now)
    nanotokens -= Int64(count) * 1_000_000_000
  }

  /// Whole tokens that there are now; 0 while something is lacking.
  package mutating func available(now: Instant) -> Int {
    refill(now)
    return Int(max(0, nanotokens) / 1_000_000_000)
  }

  /// Whether there is no token now.
  package mutating func isSpent(now: Instant) -> Bool { available(now: now) == 0 }

  private mutating func refill(_ now: Instant) {
    // From below 0 the way to full is longer; that is made in several steps, each within 64 bits.
    var elapsed = now.nanoseconds(since: last)
    last = max(last, now)
    while elapsed > 0, nanotokens < burst {
      let step = min(elapsed, fillNanoseconds)
      nanotokens = min(burst, nanotokens + Int64(step * perSecond))
      elapsed -= step
    }
  }
}
