/// Frame rates of many bots, one value a bot: what the worst bot got is not hidden in an average.
package struct RateSummary: Hashable, Sendable {
  package let bots: Int
  package let min: Double
  package let p1: Double
  package let p50: Double
  package let max: Double
  package let mean: Double

  /// Nil when there are no bots to speak of.
  package init?(_ ratesPerSecond: [Double]) {
    guard !ratesPerSecond.isEmpty else { return nil }
    let sorted = ratesPerSecond.sorted()
    func rank(_ fraction: Double) -> Double { sorted[Int(Double(sorted.count - 1) * fraction)] }
    bots = sorted.count
    min = sorted[0]
    p1 = rank(0.01)
    p50 = rank(0.5)
    max = sorted[sorted.count - 1]
    mean = sorted.reduce(0, +) / Double(sorted.count)
  }
}

/// Frames a bot got in the steady window, and how that makes a rate.
///
/// A count over a fixed window is off by up to a frame at either end, which at 30 frames/s is 0.1 frames/s in ten
/// seconds. So the window of a bot starts and ends with a frame of its own, unless it was kept waiting at that end,
/// which must show.
package struct SteadyWindow: Hashable, Sendable {
  package private(set) var frames = 0
  private var firstMicroseconds: UInt64 = 0
  private var lastMicroseconds: UInt64 = 0
  private var longestGapMicroseconds: UInt64 = 0

  package init() {}

  package mutating func recordFrame(atMicroseconds now: UInt64) {
    if frames == 0 { firstMicroseconds = now }
    if frames > 0, now > lastMicroseconds {
      longestGapMicroseconds = max(longestGapMicroseconds, now - lastMicroseconds)
    }
    lastMicroseconds = now
    frames += 1
  }

  /// The longest time without a frame between `start` and `end`, both ends included.
  package func longestGap(fromMicroseconds start: UInt64, toMicroseconds end: UInt64) -> UInt64 {
    guard frames > 0 else { return end > start ? end - start : 0 }
    let before = firstMicroseconds > start ? firstMicroseconds - start : 0
    let after = end > lastMicroseconds ? end - lastMicroseconds : 0
    return max(longestGapMicroseconds, before, after)
  }

  /// Frames a second between `start` and `end`, nil for a window without length.
  /// - Parameter tickMicroseconds: A bot whose first or last frame is within two ticks of the window's end is not kept
  ///   waiting.
  package func ratePerSecond(
    fromMicroseconds start: UInt64, toMicroseconds end: UInt64, tickMicroseconds: UInt64
  ) -> Double? {
    guard end > start else { return nil }
    guard frames > 0 else { return 0 }
    let startsOnFrame = firstMicroseconds <= start + 2 * tickMicroseconds
    let endsOnFrame = lastMicroseconds + 2 * tickMicroseconds >= end
    let from = startsOnFrame ? firstMicroseconds : start
    let to = endsOnFrame ? lastMicroseconds : end
    // Between two frames lie one interval fewer than frames.
    let intervals = frames - (startsOnFrame ? 1 : 0)
    guard to > from else { return Double(frames) * 1_000_000 / Double(end - start) }
    return Double(intervals) * 1_000_000 / Double(to - from)
  }
}

/// The longest times without a frame of many bots, one value a bot.
package struct GapSummary: Hashable, Sendable {
  package let p50Microseconds: UInt64
  package let p99Microseconds: UInt64
  package let maxMicroseconds: UInt64

  /// Nil when there are no bots to speak of.
  package init?(_ gapsMicroseconds: [UInt64]) {
    let sorted = gapsMicroseconds.sorted()
    guard let longest = sorted.last else { return nil }
    // The worst of a hundred bots is the 99th percentile.
    func rank(_ percent: Int) -> UInt64 { sorted[min(sorted.count - 1, sorted.count * percent / 100)] }
    (p50Microseconds, p99Microseconds, maxMicroseconds) = (rank(50), rank(99), longest)
  }
}
