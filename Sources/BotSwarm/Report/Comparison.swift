/// Healthy bots with the hostile mix against the same bots without it, window by window.
package struct Comparison: Hashable, Sendable {
  /// Latency with the mix by latency without it, one for each window with it: by the mean of the windows without it
  /// before and after, so that a machine that becomes faster or slower on the way counts little.
  package var p50Ratios: [Double] = []
  package var p99Ratios: [Double] = []
  /// Frames a second of the worst bot, without and with the mix.
  package var worstRates: [Pair] = []

  package struct Pair: Hashable, Sendable {
    package var without: Double
    package var with: Double
  }

  package var p50Ratio: Double? { Self.median(p50Ratios) }
  package var p99Ratio: Double? { Self.median(p99Ratios) }

  static func median(_ values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}

extension SwarmReport {
  /// Nil when nothing was compared. Each window with the mix is compared with those without it on either side.
  package var comparison: Comparison? {
    var comparison = Comparison()
    for (index, window) in windows.enumerated() where window.kind == .steady {
      let neighbours = [index - 1, index + 1].filter { windows.indices.contains($0) }.map { windows[$0] }
        .filter { $0.kind == .baseline }
      let without = neighbours.compactMap(\.latency)
      guard let with = window.latency, !without.isEmpty else { continue }
      func ratio(_ value: (DistributionSummary) -> UInt64) -> Double {
        let mean = without.reduce(0) { $0 + Double(value($1)) } / Double(without.count)
        return Double(value(with)) / max(1, mean)
      }
      comparison.p50Ratios.append(ratio(\.p50Microseconds))
      comparison.p99Ratios.append(ratio(\.p99Microseconds))
      if let worst = neighbours.compactMap(\.rates?.min).min(), let with = window.rates {
        comparison.worstRates.append(.init(without: worst, with: with.min))
      }
    }
    return comparison.p99Ratios.isEmpty ? nil : comparison
  }

  /// Seconds over which the server's memory must be flat.
  package static let flatSeconds = 30

  /// How much the server's resident memory moved over the last 30 s of the last window: the largest less the smallest,
  /// by the smallest. Nil when it was not measured that long.
  package var residentMovement: Double? {
    let samples = seconds[steadySeconds.clamped(to: seconds.indices)].suffix(Self.flatSeconds)
    let sizes = samples.compactMap { $0.server.map { Double($0.residentBytes) } }
    guard sizes.count >= Self.flatSeconds, let least = sizes.min(), let most = sizes.max(), least > 0 else {
      return nil
    }
    return (most - least) / least
  }
}
