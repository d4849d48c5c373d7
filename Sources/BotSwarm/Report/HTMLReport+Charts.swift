extension HTMLReport {
  var charts: String {
    [framesChart, latencyChart, distributionChart, bandwidthChart, memoryChart, processorChart, joinsChart]
      .joined(separator: "\n")
  }

  private var samples: [SecondSample] { report.seconds }
  private var clock: [String] { samples.map { Format.clock(seconds: $0.second) } }

  private var framesChart: String {
    let chart = Chart(
      .lines, labels: clock,
      series: [
        .init(name: "median bot", values: samples.map(\.framesP50)),
        .init(name: "worst bot", values: samples.map(\.framesMin)),
      ], limit: report.thresholds.minFramesPerSecond.map { ("asked for", $0) }, highlighted: report.steadyWindows,
      format: { Format.decimal($0, places: 0) })
    return section(
      "Frames per second", chart,
      note:
        "Frames a bot got in each second: the median of the bots and the one that got least. Shaded: the steady window."
    )
  }

  private var latencyChart: String {
    func milliseconds(_ value: UInt64?) -> Double? { value.map { Double($0) / 1_000 } }
    let limit = milliseconds(report.thresholds.maxP99LatencyMicroseconds)
    let chart = Chart(
      .lines, labels: clock,
      series: [
        .init(name: "p50", values: samples.map { milliseconds($0.latencyP50Microseconds) }),
        .init(name: "p99", values: samples.map { milliseconds($0.latencyP99Microseconds) }),
        .init(name: "max", values: samples.map { milliseconds($0.latencyMaxMicroseconds) }),
      ], limit: limit.map { ("asked for", $0) }, highlighted: report.steadyWindows,
      format: { "\(Format.decimal($0, places: $0 < 10 ? 1 : 0)) ms" })
    return section(
      "Frame latency over time", chart,
      note: "From the moment a tick was due on the server's clock until its frame was received, in each second.")
  }

  private var distributionChart: String {
    let buckets = report.totals.frameLatency.doublingBuckets
    let labels = buckets.map { "< \(Format.duration(microseconds: $0.highMicroseconds))" }
    let chart = Chart(
      .bars, labels: labels, series: [.init(name: "frames", values: buckets.map { Double($0.count) })],
      format: { Self.compact($0) })
    return section(
      "Frame latency distribution", chart, head: ["latency"],
      note: "Frames of the steady window by latency; each bucket is twice as wide as the one before.")
  }

  private var bandwidthChart: String {
    let chart = Chart(
      .lines, labels: clock,
      series: [
        .init(name: "received", values: samples.map { Double($0.bytesReceived) / 1_048_576 }),
        .init(name: "sent", values: samples.map { Double($0.bytesSent) / 1_048_576 }),
      ], highlighted: report.steadyWindows, format: { "\(Format.decimal($0, places: $0 < 10 ? 2 : 0)) MiB/s" })
    return section("Bandwidth of all bots", chart, note: "Bytes of messages, without TCP and IP headers.")
  }

  private var memoryChart: String {
    func mebibytes(_ sample: ProcessSample?) -> Double? { sample.map { Double($0.residentBytes) / 1_048_576 } }
    let limit = report.thresholds.maxServerResidentBytes.map { Double($0) / 1_048_576 }
    let chart = Chart(
      .lines, labels: clock,
      series: [
        .init(name: "server", values: samples.map { mebibytes($0.server) }),
        .init(name: "swarm", values: samples.map { mebibytes($0.swarm) }),
      ], limit: limit.map { ("asked for (server)", $0) }, highlighted: report.steadyWindows,
      format: { "\(Format.decimal($0, places: $0 < 10 ? 1 : 0)) MiB" })
    return section("Resident memory", chart, note: "RSS as the system counts it, at the end of each second.")
  }

  private var processorChart: String {
    let chart = Chart(
      .lines, labels: clock,
      series: [
        .init(name: "server", values: samples.map { $0.server.map { $0.cores * 100 } }),
        .init(name: "swarm", values: samples.map { $0.swarm.map { $0.cores * 100 } }),
        .init(name: "swarm's busiest loop", values: samples.map { $0.loopBusy * 100 }),
        .init(name: "whole machine, a core on average", values: samples.map { $0.machineBusy.map { $0 * 100 } }),
      ], highlighted: report.steadyWindows, format: { "\(Format.decimal($0, places: 0))%" })
    return section(
      "CPU", chart,
      note: "Of one core. A swarm loop near 100% is itself the limit: then late frames say nothing about the server.")
  }

  private var joinsChart: String {
    let chart = Chart(
      .lines, labels: clock,
      series: [
        .init(name: "joined", values: samples.map { Double($0.joined) }),
        .init(name: "connected", values: samples.map { Double($0.connected) }),
        .init(name: "joins in the second", values: samples.map { Double($0.joins) }),
      ], highlighted: report.steadyWindows, format: { Format.grouped(Int($0)) })
    return section("Bots", chart, note: "Connected and joined at the end of each second.")
  }

  private func section(_ title: String, _ chart: Chart, head: [String] = ["time"], note: String) -> String {
    guard !chart.isEmpty else {
      return "<section><h2>\(HTML.escape(title))</h2><p class=\"note\">Nothing was measured.</p></section>"
    }
    let rows = chart.labels.indices.map { index in
      [chart.labels[index]] + chart.series.map { $0.values[index].map(chart.format) ?? "-" }
    }
    return """
      <section>
      <h2>\(HTML.escape(title))</h2>
      <p class="note">\(HTML.escape(note))</p>
      \(chart.legend)
      \(chart.svg(title: title))
      <details><summary>The numbers</summary>\(HTML.table(head + chart.series.map(\.name), rows))</details>
      </section>
      """
  }

  /// Counts on an axis: `1.2 M` instead of `1,200,000`.
  private static func compact(_ value: Double) -> String {
    if value >= 1_000_000 { return Format.decimal(value / 1_000_000, places: 1) + " M" }
    if value >= 10_000 { return Format.decimal(value / 1_000, places: 0) + " k" }
    return Format.grouped(Int(value))
  }
}
