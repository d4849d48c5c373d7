/// Times of a loop's ticks, counted by size: 64 buckets for each doubling, so that a percentile is off by less than
/// 1.6%. Recording is a few instructions and allocates nothing.
///
/// Confined to its loop, which publishes ``reading``.
final class TickHistogram {
  /// What was recorded up to a moment.
  struct Reading: Sendable {
    fileprivate(set) var counts: [UInt64]
    fileprivate(set) var count: UInt64 = 0
    fileprivate(set) var sumNanoseconds: UInt64 = 0
    fileprivate(set) var worstNanoseconds: UInt64 = 0
  }

  /// 256 ns: what is less counts as one.
  fileprivate static let unitShift: UInt64 = 8
  /// 64 buckets from each power of two to the next.
  fileprivate static let fineShift: UInt64 = 6
  /// 2^26 units are 17 s; what is more counts as that.
  private static let mostUnits: UInt64 = (1 << 26) - 1
  fileprivate static let buckets = bucket(of: mostUnits << unitShift) + 1

  @exclusivity(unchecked) private var values = Reading()

  func record(_ nanoseconds: UInt64) {
    values.counts[Self.bucket(of: nanoseconds)] += 1
    values.count += 1
    values.sumNanoseconds &+= nanoseconds
    values.worstNanoseconds = max(values.worstNanoseconds, nanoseconds)
  }

  /// A copy. One that shared its array would make the next tick copy it.
  var reading: Reading {
    var copy = values
    copy.counts = values.counts.withUnsafeBufferPointer { Array($0) }
    return copy
  }

  private static func bucket(of nanoseconds: UInt64) -> Int {
    let units = min(nanoseconds >> unitShift, mostUnits)
    let magnitude = UInt64(UInt64.bitWidth - 1 - (units | 1).leadingZeroBitCount)
    let shift = magnitude > fineShift ? magnitude - fineShift : 0
    return Int((shift << fineShift) + (units >> shift))
  }
}

extension TickHistogram.Reading {
  /// Nothing recorded.
  init() { counts = Array(repeating: 0, count: TickHistogram.buckets) }

  /// Where a bucket begins.
  private static func start(_ bucket: Int) -> UInt64 {
    let index = UInt64(bucket)
    let fine = TickHistogram.fineShift
    let shift = index >> fine > 1 ? (index >> fine) - 1 : 0
    return (index - (shift << fine)) << (shift + TickHistogram.unitShift)
  }

  /// How many were at most `nanoseconds`, up to the width of a bucket.
  func count(upTo nanoseconds: UInt64) -> UInt64 {
    var sum: UInt64 = 0
    for bucket in counts.indices {
      guard Self.start(bucket + 1) <= nanoseconds else { break }
      sum += counts[bucket]
    }
    return sum
  }

  /// The time that `share` (0 to 1) of all did not exceed, spread evenly over its bucket; 0 when there are none.
  func nanoseconds(atShare share: Double) -> UInt64 {
    let wanted = share * Double(count)
    var below: UInt64 = 0
    for bucket in counts.indices where counts[bucket] > 0 {
      if Double(below + counts[bucket]) >= wanted {
        let part = (wanted - Double(below)) / Double(counts[bucket])
        let width = Double(Self.start(bucket + 1) - Self.start(bucket))
        return min(worstNanoseconds, Self.start(bucket) + UInt64(max(0, part) * width))
      }
      below += counts[bucket]
    }
    return worstNanoseconds
  }

  /// Both together.
  static func + (one: Self, other: Self) -> Self {
    var sum = one
    for bucket in sum.counts.indices { sum.counts[bucket] += other.counts[bucket] }
    sum.count += other.count
    sum.sumNanoseconds &+= other.sumNanoseconds
    sum.worstNanoseconds = max(one.worstNanoseconds, other.worstNanoseconds)
    return sum
  }
}
