/// The report as one HTML file without anything from outside: it opens from a build artefact ten years later.
package struct HTMLReport {
  package let report: SwarmReport

  package init(_ report: SwarmReport) { self.report = report }

  package var text: String {
    let setting = report.setting
    let heading = "Bot swarm: \(Format.grouped(setting.bots)) bots in \(Format.grouped(setting.rooms)) rooms"
    return """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>\(HTML.escape(heading))</title>
      <style>
      \(ReportStyle.sheet)
      </style>
      </head>
      <body>
      <main>
      <h1>\(HTML.escape(heading))</h1>
      <p class="sub">\(HTML.escape(subtitle))</p>
      \(verdict)
      \(tiles)
      \(hostile)
      \(charts)
      \(notes)
      <section><h2>All figures</h2>\(HTML.table(["what", "value"], SummaryTable(report).rows.map { [$0.name, $0.value] }))</section>
      <section><h2>What was run</h2>\(HTML.table(["setting", "value"], settingRows))</section>
      </main>
      </body>
      </html>

      """
  }

  private var subtitle: String {
    let setting = report.setting
    return
      "\(setting.target) · room kind \(setting.roomKind) · rooms of \(setting.roomSize) · \(setting.tickRate) ticks/s · "
      + "\(report.steadySeconds.count) s steady of \(report.seconds.count) s"
  }

  private var verdict: String {
    let verdict = report.verdict
    let rows = verdict.checks.map { check in
      "<tr><td class=\"\(check.isOK ? "ok" : "bad")\">\(check.isOK ? "✓ ok" : "✗ failed")</td>"
        + "<td>\(HTML.escape(check.name))</td><td class=\"num\">\(HTML.escape(check.value))</td>"
        + "<td>\(HTML.escape(check.requirement))</td></tr>"
    }
    let failed = verdict.checks.count { !$0.isOK }
    let isGood = verdict.outcome == .ok
    return """
      <section class="verdict \(verdict.outcome.rawValue)">
      <p class="line">\(isGood ? "✓" : verdict.outcome == .failed ? "✗" : "?") \(HTML.escape(verdict.line))</p>
      \(verdict.caution.map { "<p class=\"note\">\(HTML.escape($0))</p>" } ?? "")
      <details\(isGood ? "" : " open")><summary>\(verdict.checks.count) checks, \(failed) failed</summary>
      <table><thead><tr><th>result</th><th>check</th><th class="num">value</th><th>requirement</th></tr></thead>
      <tbody>\(rows.joined())</tbody></table></details>
      </section>
      """
  }

  private var notes: String {
    guard !report.totals.notes.isEmpty else { return "" }
    let items = report.totals.notes.map { "<li>\(HTML.escape($0))</li>" }
    return "<section class=\"wide\"><h2>The first faults in words</h2><ul>\(items.joined())</ul></section>"
  }

  private var tiles: String {
    let totals = report.totals
    let latency = totals.frameLatency.summary
    let tiles: [(value: String, name: String)] = [
      (Format.decimal(report.rates?.min, places: 2), "frames/s, worst bot"),
      (Format.decimal(report.rates?.p50, places: 2), "frames/s, median bot"),
      (Format.duration(microseconds: latency?.p99Microseconds), "frame latency p99"),
      (Format.duration(microseconds: report.gaps?.maxMicroseconds), "longest without a frame"),
      (Format.decimal(totals.bytesPerEntityUpdate, places: 2), "bytes a moving entity and tick"),
      (report.serverPeakResidentBytes.map { Format.bytes($0) } ?? "-", "server RSS, peak"),
      (Format.percent(report.serverCores), "server CPU, of a core"),
    ]
    let items = tiles.map {
      "<div class=\"tile\"><b>\(HTML.escape($0.value))</b><span>\(HTML.escape($0.name))</span></div>"
    }
    return "<div class=\"tiles\">\(items.joined())</div>"
  }

  private var settingRows: [[String]] {
    let setting = report.setting
    return [
      ["target", setting.target], ["room kind", setting.roomKind], ["room prefix", setting.roomPrefix],
      ["bots", Format.grouped(setting.bots)], ["room size", String(setting.roomSize)],
      ["inputs a second and bot", Format.decimal(setting.inputRate, places: 1)],
      ["seconds between a bot's events", Format.decimal(setting.eventIntervalSeconds, places: 1)],
      ["movement", setting.mix], ["seed", String(setting.seed)], ["duration", "\(setting.durationSeconds) s"],
      ["joins a second", Format.decimal(setting.joinRate, places: 0)], ["loops", String(setting.loops)],
      ["decoding", setting.decode],
      ["bots come back", setting.returns ? "yes" : "no"], ["hostile bots", setting.hostile?.mix.description ?? "none"],
    ]
  }
}

/// The few pieces of HTML that are needed.
enum HTML {
  static func escape(_ text: String) -> String {
    var out = ""
    for character in text {
      switch character {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      default: out.append(character)
      }
    }
    return out
  }

  static func table(_ head: [String], _ rows: [[String]]) -> String {
    let top = head.map { "<th>\(escape($0))</th>" }.joined()
    let body = rows.map { "<tr>" + $0.map { "<td>\(escape($0))</td>" }.joined() + "</tr>" }.joined()
    return "<table><thead><tr>\(top)</tr></thead><tbody>\(body)</tbody></table>"
  }
}
