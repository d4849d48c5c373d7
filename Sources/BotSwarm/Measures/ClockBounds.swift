/// Where the server's clock stands by ours: what all round trips so far have in common.
///
/// An answer is stamped after the question left and before the answer came, so each round trip gives a lowest and a
/// highest difference of the clocks. What they share narrows to the quickest way there and the quickest way back, which
/// need not have been one round trip: half of the shortest was off by a tenth of a millisecond on one machine, and by
/// another tenth a second later.
///
/// Source: K. Marzullo, S. Owicki, "Maintaining the time in a distributed system", 1983.
package struct ClockBounds: Hashable, Sendable {
  /// Clocks count whole microseconds.
  private static let grain: Int64 = 2

  private var bounds: ClosedRange<Int64>?

  package init() {}

  /// Adds a round trip: what server clock minus ours would be if both ways had taken as long.
  package mutating func add(offsetMicroseconds offset: Int64, roundTripMicroseconds roundTrip: UInt64) {
    let reach = Int64(clamping: roundTrip / 2) + Self.grain
    let sample = offset - reach...offset + reach
    guard let bounds, bounds.overlaps(sample) else {
      // The first, or clocks that drift apart: what was true once is no longer.
      self.bounds = sample
      return
    }
    self.bounds = bounds.clamped(to: sample)
  }

  /// Server clock minus ours, in microseconds; nil before the first round trip.
  package var offsetMicroseconds: Int64? {
    bounds.map { $0.lowerBound + ($0.upperBound - $0.lowerBound) / 2 }
  }
}
