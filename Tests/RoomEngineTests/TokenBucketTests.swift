import Testing
import WireFormat

@testable import RoomEngine

@Suite struct TokenBucketTests {
  private func instant(_ milliseconds: UInt64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

  @Test func itGivesABurstAndThenTheRate() {
    var bucket = TokenBucket(perSecond: 10, burst: 5, now: instant(0))
    let burst = (0..<6).map { _ in bucket.take(now: instant(0)) }
    #expect(burst == [true, true, true, true, true, false])
    let next = [99, 100, 100].map { bucket.take(now: instant($0)) }
    #expect(next == [false, true, false])
    var taken = 0
    for millisecond: UInt64 in 101...10_100 where bucket.take(now: instant(millisecond)) { taken += 1 }
    #expect(taken == 100)
  }

  @Test func idlenessFillsItNoFurtherThanTheBurst() {
    var bucket = TokenBucket(perSecond: 100_000, burst: 3, now: instant(0))
    for _ in 0..<3 { _ = bucket.take(now: instant(0)) }
    let year = instant(365 * 24 * 3600 * 1000)
    let taken = (0..<4).map { _ in bucket.take(now: year) }
    #expect(taken == [true, true, true, false])
    // A clock that steps back gives nothing.
    let past = bucket.take(now: instant(5))
    #expect(!past)
  }
}
