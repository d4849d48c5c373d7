/// Healthy bots with the hostile mix against the same bots without it, window by window.
package struct Comparison: Hashable, Sendable {
  /// Latency with the mix by latency without it, a pair of windows each.
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
  /// Nil when nothing was compared. Each window with the mix is paired with the one without it before.
  package var comparison: Comparison? {
    var comparison = Comparison()
    for (before, window) in zip(windows, windows.dropFirst()) where before.kind == .baseline && window.kind == .steady {
      guard let without = before.latency, let with = window.latency else { continue }
      comparison.p50Ratios.append(Double(with.p50Microseconds) / Double(max(1, without.p50Microseconds)))
      comparison.p99Ratios.append(Double(with.p99Microseconds) / Double(max(1, without.p99Microseconds)))
      if let without = before.rates, let with = window.rates {
        comparison.worstRates.append(.init(without: without.min, with: with.min))
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
