/// How the values of a column are written in bits: `docs/protocol.md` 7.1.
///
/// A value `v` is `z` zeros, a one, and then the `k + max(z - 2, 0)` bits of `x`, with `v = x + (base(z) << k)`: the
/// smaller, the shorter. The parameter `k` is chosen for each column of a frame.
enum ColumnCode {
  static let parameterBits: UInt64 = 5
  /// The parameter that says that all values are 0, and none is written.
  static let allZero: UInt64 = 31
  /// Largest parameter of values that are written.
  static let mostParameter = 30
  /// Zeros in front of the largest values, with parameter 0.
  static let mostZeros: UInt64 = 33

  @inline(__always)
  static func base(_ zeros: UInt64) -> UInt64 { zeros < 2 ? zeros : 1 &<< (zeros &- 2) &+ 1 }

  @inline(__always)
  static func put(_ value: UInt32, _ k: UInt64, _ bits: inout BitWriter, into out: inout OutputRawSpan) {
    let value = UInt64(value)
    let quotient = value &>> k
    let extra = quotient < 2 ? 0 : UInt64(truncatingIfNeeded: 63 &- (quotient &- 1).leadingZeroBitCount)
    let zeros = quotient < 2 ? quotient : extra &+ 2
    let rest = value &- base(zeros) &<< k
    if zeros &+ 1 &+ extra &+ k <= 56 {
      bits.put(1 &<< zeros | rest &<< (zeros &+ 1), width: zeros &+ 1 &+ extra &+ k, into: &out)
    } else {
      bits.put(1 &<< zeros, width: zeros &+ 1, into: &out)
      bits.put(rest, width: extra &+ k, into: &out)
    }
  }

  /// Most bits of one of `n` values of at most `width` bits each, on average: one more than their width with the
  /// parameter that ``parameter(of:count:)`` starts from, and one for where it ends.
  static func mostBits(width: Int) -> Int { width <= mostParameter ? width + 2 : mostParameter + 6 }
}

/// How many values of a column have which width, to choose its parameter from.
struct WidthCounts {
  private var counts: [Int] = Array(repeating: 0, count: 33)

  mutating func reset() {
    for width in counts.indices { counts[width] = 0 }
  }

  mutating func count(_ values: Span<UInt32>, _ number: Int) {
    var counts = counts.mutableSpan
    for index in 0..<number { counts[32 &- values[index].leadingZeroBitCount] &+= 1 }
  }

  /// The parameter for these `number` values, or ``ColumnCode/allZero``.
  ///
  /// With parameter `k` a value of `w` bits takes `k + 1` bits, and one more for `w = k + 1`, about two for each
  /// further bit. So the next smaller parameter saves a bit a value, and costs one for each of width `k` and two for
  /// each wider one: it goes down from the greatest width as long as that pays. Where the estimate is wrong (at
  /// `w = k + 2`) it is so by one bit, at one parameter for each value, so that the sum is at most a bit a value above
  /// that of the parameter it started from.
  func parameter(of number: Int) -> UInt64 {
    var widest = 32
    while widest > 0, counts[widest] == 0 { widest -= 1 }
    guard widest > 0 else { return ColumnCode.allZero }
    var k = min(widest, ColumnCode.mostParameter)
    var wider = widest > k ? counts[(k + 1)...].reduce(0, +) : 0
    while k > 0, counts[k] + 2 * wider < number {
      wider += counts[k]
      k -= 1
    }
    return UInt64(k)
  }
}
