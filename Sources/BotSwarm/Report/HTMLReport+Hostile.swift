extension HTMLReport {
  /// Ends by behaviour and reason, and the healthy bots with and without the mix; empty without hostile bots.
  var hostile: String {
    guard let status = report.hostile, let plan = report.setting.hostile else { return "" }
    let rows = plan.mix.counts.map { kind, count in
      let tally = status.tallies[kind] ?? HostileTally()
      return [
        kind.rawValue, kind.summary, Format.grouped(count), Format.grouped(tally.acted), kind.achievement(tally),
        Format.duration(microseconds: tally.endCount > 0 ? tally.slowestEndMicroseconds : nil),
        Format.grouped(tally.survived), SwarmReport.listed(tally.wrong), SwarmReport.listed(tally.refused),
      ]
    }
    let head = [
      "behaviour", "what it does", "bots", "times", "what came of it", "slowest end", "survived", "wrong",
      "turned away",
    ]
    let notes = status.tallies.sorted { $0.key < $1.key }.flatMap(\.value.notes)
    let list = notes.isEmpty ? "" : "<ul>" + notes.map { "<li>\(HTML.escape($0))</li>" }.joined() + "</ul>"
    return """
      <section class="wide"><h2>Hostile bots</h2>\(HTML.table(head, rows))\(list)</section>
      \(comparison)
      \(census)
      """
  }

  private var comparison: String {
    let windows = report.windows
    guard report.comparison != nil else { return "" }
    let rows = windows.map { window in
      [
        window.kind == .baseline ? "without" : "with", Format.decimal(window.rates?.min, places: 2),
        Format.duration(microseconds: window.latency?.p50Microseconds),
        Format.duration(microseconds: window.latency?.p99Microseconds),
      ]
    }
    let head = ["hostile mix", "frames/s, worst healthy bot", "latency p50", "latency p99"]
    return "<section><h2>Healthy bots without and with the mix</h2>\(HTML.table(head, rows))</section>"
  }

  private var census: String {
    guard let census = report.census else { return "" }
    func row(_ name: String, _ value: (Census.Point) -> String?) -> [String] {
      [name, value(census.before) ?? "-", census.after.flatMap(value) ?? "-"]
    }
    let rows =
      [
        row("resident memory") { Format.bytes($0.residentBytes) },
        row("descriptors") { Format.grouped($0.descriptors) },
      ]
      + (census.before.ledger?.holdings ?? []).enumerated().map { index, holding in
        row(holding.name) { $0.ledger.map { Format.grouped($0.holdings[index].count) } }
      }
    return "<section><h2>Census of the server</h2>\(HTML.table(["what", "before", "after"], rows))</section>"
  }
}
