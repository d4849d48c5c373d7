/// A stretch of a run in which frames are measured.
package struct MeasuredWindow: Hashable, Sendable {
  package enum Kind: String, Sendable {
    /// Without the hostile bots, for comparison.
    case baseline
    /// What the run's figures are of.
    case steady
  }

  package var kind: Kind
  /// Those of the report's seconds that lie wholly in it.
  package var seconds: Range<Int>
  package var latency: DistributionSummary?
  package var rates: RateSummary?

  package init(_ kind: Kind, seconds: Range<Int>) {
    self.kind = kind
    self.seconds = seconds
  }
}

/// What one loop measured in a window.
struct WindowMeasures: Sendable {
  var latency = Distribution()
  /// Frames a second of each bot.
  var ratesPerSecond: [Double] = []
  /// The longest time without a frame of each bot.
  var gapsMicroseconds: [UInt64] = []

  mutating func add(_ other: WindowMeasures) {
    gapsMicroseconds += other.gapsMicroseconds
    latency.add(other.latency)
    ratesPerSecond += other.ratesPerSecond
  }
}
