import Histogram

/// A distribution of durations in microseconds: three significant digits, up to a minute (longer ones count as a
/// minute).
///
/// Recording allocates nothing; the memory is about 140 KiB, so there is one for each loop, never one for each bot.
package struct Distribution: Sendable {
  /// A longer latency than this is an outage, not a latency.
  package static let longestMicroseconds: UInt64 = 60_000_000

  private var histogram = Histogram<UInt32>(
    lowestDiscernibleValue: 1, highestTrackableValue: Distribution.longestMicroseconds,
    numberOfSignificantValueDigits: .three)

  package init() {}

  package mutating func record(microseconds: UInt64) {
    histogram.record(min(microseconds, Self.longestMicroseconds))
  }

  package mutating func add(_ other: Distribution) {
    histogram.add(other.histogram)
  }

  package mutating func reset() {
    histogram.reset()
  }

  package var count: UInt64 { histogram.totalCount }

  /// The usual figures, or nil when nothing was recorded.
  package var summary: DistributionSummary? {
    guard count > 0 else { return nil }
    return DistributionSummary(
      count: count, meanMicroseconds: histogram.mean, p50Microseconds: histogram.valueAtPercentile(50),
      p90Microseconds: histogram.valueAtPercentile(90), p99Microseconds: histogram.valueAtPercentile(99),
      p999Microseconds: histogram.valueAtPercentile(99.9), maxMicroseconds: histogram.maxRecorded)
  }

  /// Counts in buckets that double, from the bucket of the smallest value to that of the largest.
  package var doublingBuckets: [Bucket] {
    guard let summary else { return [] }
    var buckets: [Bucket] = []
    var low: UInt64 = 0
    var high: UInt64 = 125
    while low <= summary.maxMicroseconds {
      let found = histogram.count(within: low...(high - 1))
      if found > 0 || !buckets.isEmpty {
        buckets.append(Bucket(lowMicroseconds: low, highMicroseconds: high, count: found))
      }
      (low, high) = (high, high * 2)
    }
    return buckets
  }

  /// How many values lie in `lowMicroseconds ..< highMicroseconds`.
  package struct Bucket: Hashable, Sendable {
    package let lowMicroseconds: UInt64
    package let highMicroseconds: UInt64
    package let count: UInt64
  }
}

/// The figures of a distribution that reports show.
package struct DistributionSummary: Hashable, Sendable {
  package let count: UInt64
  package let meanMicroseconds: Double
  package let p50Microseconds: UInt64
  package let p90Microseconds: UInt64
  package let p99Microseconds: UInt64
  package let p999Microseconds: UInt64
  package let maxMicroseconds: UInt64
}
