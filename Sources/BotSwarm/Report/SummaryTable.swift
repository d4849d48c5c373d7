/// The end of a run in the terminal: an aligned table and the verdict.
package struct SummaryTable {
  package let report: SwarmReport

  package init(_ report: SwarmReport) { self.report = report }

  package var text: String {
    let verdict = report.verdict
    var lines = (rows + hostileRows).map { "\($0.name.padded(22))\($0.value)" }
    lines.append(report.totals.frameBytes.map { BytesTable($0).text } ?? "")
    for check in verdict.checks {
      lines.append(
        "\(check.isOK ? "ok    " : "FAILED")  \(check.name.padded(22))\(check.value.padded(30))  \(check.requirement)")
    }
    if !report.totals.notes.isEmpty {
      lines += ["", "the first faults:"] + report.totals.notes.map { "  \($0)" }
    }
    let hostileNotes = (report.hostile?.tallies ?? [:]).sorted { $0.key < $1.key }.flatMap(\.value.notes)
    if !hostileNotes.isEmpty { lines += ["", "of the hostile bots:"] + hostileNotes.map { "  \($0)" } }
    if report.wasInterrupted { lines += ["", "interrupted: the figures cover what ran until then"] }
    if let caution = verdict.caution { lines += ["", caution] }
    lines += ["", verdict.line, ""]
    return lines.joined(separator: "\n")
  }

  /// What stands in the table; also the first table of the HTML report.
  var rows: [(name: String, value: String)] {
    let setting = report.setting
    let totals = report.totals
    return [
      (
        "bots",
        "\(Format.grouped(totals.joined)) of \(Format.grouped(setting.bots)) joined, "
          + "\(Format.grouped(setting.rooms)) rooms of \(setting.roomSize) (\(setting.roomKind))"
      ),
      ("window", "\(report.steadySeconds.count) s steady of \(report.seconds.count) s, decoding \(setting.decode)"),
      ("frames per second", rates),
      (
        "delivered",
        "\(report.deliveredPerSecond.map { Format.grouped(Int($0)) } ?? "-") frames/s in all, \(Format.grouped(totals.skips)) skips"
      ),
      ("longest without frame", gaps), ("frame latency", latency),
      ("interval jitter", spread(totals.intervalJitter)),
      ("input to ack", spread(totals.acknowledgement)), ("join time", spread(totals.joinTime)),
      ("bytes per frame", Format.decimal(totals.bytesPerFrame, places: 1)),
      ("bytes per entity", "\(Format.decimal(totals.bytesPerEntityUpdate, places: 2)) a moving entity and tick"),
      ("bandwidth", "\(rate(report.receivedBytesPerSecond)) received, \(rate(report.sentBytesPerSecond)) sent"),
      ("server", server), ("swarm", swarm), ("machine", "cores busy \(Format.percent(report.machineBusy))"),
      (
        "events",
        "\(Format.grouped(totals.eventsRaised)) raised, \(Format.grouped(totals.eventsChecked)) deliveries checked"
      ),
      (
        "whispers and calls",
        "\(Format.grouped(totals.whispersChecked)) whispers checked, \(Format.grouped(totals.callsAnswered)) replies"
      ),
      ("disconnects", listed(totals.disconnects)), ("lost and come back", returns),
      ("connect failures", listed(totals.connectFailures)),
      ("join refusals", listed(totals.joinRefusals)),
      ("left in order", Format.grouped(totals.leftInOrder)),
    ]
  }

  private var rates: String {
    guard let rates = report.rates else { return "-" }
    let places = 2
    return
      "min \(Format.decimal(rates.min, places: places))   p1 \(Format.decimal(rates.p1, places: places))   "
      + "p50 \(Format.decimal(rates.p50, places: places))   (of \(report.setting.tickRate))"
  }

  private func spread(_ distribution: Distribution) -> String {
    guard let summary = distribution.summary else { return "-" }
    return "p50 \(Format.duration(microseconds: summary.p50Microseconds))   "
      + "p99 \(Format.duration(microseconds: summary.p99Microseconds))   "
      + "max \(Format.duration(microseconds: summary.maxMicroseconds))"
  }

  private func rate(_ bytesPerSecond: Double?) -> String {
    bytesPerSecond.map { Format.bytes(Int($0)) + "/s" } ?? "-"
  }

  private var gaps: String {
    guard let gaps = report.gaps else { return "-" }
    return "p50 \(Format.duration(microseconds: gaps.p50Microseconds))   "
      + "p99 \(Format.duration(microseconds: gaps.p99Microseconds))   "
      + "max \(Format.duration(microseconds: gaps.maxMicroseconds)) (one value a bot)"
  }

  private var latency: String {
    let overdue = report.totals.framesOverdue
    let note = overdue > 0 ? "   (with \(Format.grouped(overdue)) frames that were due and did not come)" : ""
    return spread(report.totals.frameLatency) + note
  }

  private var returns: String {
    let totals = report.totals
    guard report.setting.returns else { return "off" }
    guard totals.lostConnectionCount > 0 else { return "none" }
    return "\(listed(totals.lostConnections)); \(Format.grouped(totals.resumes)) resumed, "
      + "\(Format.grouped(totals.sessionsLost)) sessions lost, longest away "
      + Format.duration(microseconds: totals.longestAwayMicroseconds)
  }

  private var server: String {
    guard let peak = report.serverPeakResidentBytes else { return "not measured (give --server-pid)" }
    return "RSS \(Format.bytes(peak)) at most, CPU \(Format.percent(report.serverCores)) of a core"
  }

  private var swarm: String {
    "RSS \(Format.bytes(report.swarmPeakResidentBytes ?? 0)) at most, "
      + "CPU \(Format.percent(report.swarmCores)) of a core, loop busy \(Format.percent(report.loopBusy))"
  }

  private var hostileRows: [(name: String, value: String)] {
    var rows: [(name: String, value: String)] = []
    if let hostile = report.hostile, let plan = report.setting.hostile {
      rows.append(("hostile bots", plan.mix.description))
      rows.append(("hostile ends", listed(hostile.ends)))
    }
    if let comparison = report.comparison {
      let ratios = comparison.p99Ratios.map { Format.decimal($0, places: 2) }.joined(separator: ", ")
      rows.append(
        (
          "with against without",
          "latency p50 \(Format.decimal(comparison.p50Ratio, places: 2)) times, "
            + "p99 \(Format.decimal(comparison.p99Ratio, places: 2)) times (\(ratios))"
        ))
      for pair in comparison.worstRates {
        rows.append(
          (
            "worst healthy bot",
            "\(Format.decimal(pair.without, places: 2)) frames/s without, \(Format.decimal(pair.with, places: 2)) with"
          ))
      }
    }
    if let moved = report.residentMovement {
      rows.append(("server RSS moved", "\(Format.percent(moved, places: 1)) in the last \(SwarmReport.flatSeconds) s"))
    }
    if let census = report.census {
      let after = census.after.map { "\(Format.bytes($0.residentBytes)), \($0.descriptors) descriptors" } ?? "unknown"
      rows.append(
        (
          "server before, after",
          "\(Format.bytes(census.before.residentBytes)), \(census.before.descriptors) descriptors; \(after)"
        ))
    }
    return rows
  }

  private func listed(_ counts: [String: Int]) -> String { SwarmReport.listed(counts) }
}
