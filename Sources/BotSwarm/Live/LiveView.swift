/// The live view as lines of text: pure, so that what a terminal shows can be tested without one.
package struct LiveView {
  /// Columns; lines are cut to it.
  package let width: Int
  package let hasColour: Bool

  package init(width: Int, hasColour: Bool) {
    self.width = max(40, width)
    self.hasColour = hasColour
  }

  package func lines(_ status: LiveStatus) -> [String] {
    let setting = status.setting
    let last = status.last
    let title =
      "botswarm  \(Format.grouped(setting.bots)) bots, rooms of \(setting.roomSize) (\(setting.roomKind))  \(setting.target)"
    let rate =
      "min \(Format.decimal(last?.framesMin, places: 0).padded(4)) p50 \(Format.decimal(last?.framesP50, places: 0).padded(4)) "
      + "\(Format.grouped(last?.frames ?? 0))/s"
    let sparkline = Sparkline.text(
      status.rates, width: max(0, width - 12 - rate.count - 2), full: Double(setting.tickRate))
    let latency =
      "p50 \(duration(last?.latencyP50Microseconds)) p99 \(duration(last?.latencyP99Microseconds)) "
      + "max \(duration(last?.latencyMaxMicroseconds))"
    return [
      styled(.bold, cut(title)),
      bar(status),
      row("bots", "connected \(Format.grouped(status.connected).padded(8)) joined \(Format.grouped(status.joined))"),
      row("frames/s", rate, sparkline),
      row("latency", latency),
      row(
        "traffic",
        "in \(perSecond(last?.bytesReceived).padded(13)) out \(perSecond(last?.bytesSent).padded(13))"),
      row("server", process(last?.server, absent: "not measured (give --server-pid)")),
      row("swarm", process(last?.swarm, absent: "-") + "  loop busy \(Format.percent(last?.loopBusy))"),
    ] + hostile(status) + [faults(status)]
  }

  private func hostile(_ status: LiveStatus) -> [String] {
    guard let hostile = status.hostile else { return [] }
    let ends = hostile.ends.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .map { "\(Format.grouped($0.value)) \($0.key)" }.joined(separator: ", ")
    return [row("hostile", "alive \(Format.grouped(hostile.alive).padded(5)) \(work(status))\(ends)")]
  }

  /// How far what was asked for by number has come.
  private func work(_ status: LiveStatus) -> String {
    guard let plan = status.setting.hostile, let hostile = status.hostile else { return "" }
    func part(_ name: String, _ made: Int?, _ asked: Int) -> String {
      asked > 0 ? "\(name) \(Format.grouped(made ?? 0))/\(Format.grouped(asked))  " : ""
    }
    return part("hops", hostile.tallies[.hop]?.hops, (plan.hops ?? 0) * plan.bots(.hop))
      + part("cycles", hostile.tallies[.churn]?.cycles, plan.cycles ?? 0)
  }

  /// One line a second, for logs.
  package func plainLine(_ status: LiveStatus) -> String {
    let last = status.last
    var text = "\(Format.clock(seconds: Int(status.elapsedSeconds)).leftPadded(5)) \(status.phase.rawValue.padded(7)) "
    text += "joined \(Format.grouped(status.joined))/\(Format.grouped(status.setting.bots)) "
    text += "fps min \(Format.decimal(last?.framesMin, places: 0)) p50 \(Format.decimal(last?.framesP50, places: 0)) "
    text += "latency p50 \(Format.duration(microseconds: last?.latencyP50Microseconds)) "
    text += "p99 \(Format.duration(microseconds: last?.latencyP99Microseconds)) in \(perSecond(last?.bytesReceived))"
    if let server = last?.server {
      text += " server \(Format.bytes(server.residentBytes)) \(Format.percent(server.cores))"
    }
    text += " loop \(Format.percent(last?.loopBusy))"
    if let hostile = status.hostile {
      let ended = hostile.ends.values.reduce(0, +)
      text += " hostile \(Format.grouped(hostile.alive)) alive, \(work(status))\(Format.grouped(ended)) ended"
    }
    let bad = status.faults.total + status.lost + (status.hostile?.failures ?? 0)
    return text + (bad == 0 ? " ok" : " FAULTS \(Format.grouped(bad))")
  }

  // MARK: Lines

  private func bar(_ status: LiveStatus) -> String {
    let share = status.totalSeconds > 0 ? min(1, status.elapsedSeconds / status.totalSeconds) : 0
    let remaining = max(0, status.totalSeconds - status.elapsedSeconds)
    let times =
      " \(Format.percent(share).leftPadded(4))  \(Format.clock(seconds: Int(status.elapsedSeconds))) gone, "
      + "\(Format.clock(seconds: Int(remaining.rounded(.up)))) left  \(status.phase.rawValue)"
    let cells = max(4, width - times.count - 2)
    let full = Int((Double(cells) * share).rounded())
    return "[" + styled(.blue, String(repeating: "█", count: full)) + String(repeating: "·", count: cells - full) + "]"
      + times
  }

  private func row(_ name: String, _ text: String, _ picture: String = "") -> String {
    let body = cut(text, to: width - 10)
    return styled(.dim, name.padded(10)) + body + (picture.isEmpty ? "" : "  " + styled(.blue, picture))
  }

  private func faults(_ status: LiveStatus) -> String {
    var found = status.faults.named.filter { $0.count > 0 }
    if status.lost > 0 { found.append(("disconnects", status.lost)) }
    if let failures = status.hostile?.failures, failures > 0 { found.append(("hostile not dealt with", failures)) }
    guard !found.isEmpty else { return styled(.dim, "faults".padded(10)) + styled(.green, "none") }
    let text = found.map { "\(Format.grouped($0.count)) \($0.name)" }.joined(separator: ", ")
    return styled(.dim, "faults".padded(10)) + styled(.red, cut(text, to: width - 10))
  }

  private func process(_ sample: ProcessSample?, absent: String) -> String {
    guard let sample else { return absent }
    return "RSS \(Format.bytes(sample.residentBytes).padded(10)) CPU \(Format.percent(sample.cores).padded(5)) "
      + "fds \(Format.grouped(sample.descriptors).padded(7))"
  }

  private func duration(_ microseconds: UInt64?) -> String { Format.duration(microseconds: microseconds).padded(9) }

  private func perSecond(_ bytes: Int?) -> String { Format.bytes(bytes ?? 0) + "/s" }

  private func cut(_ text: String, to columns: Int? = nil) -> String { String(text.prefix(columns ?? width)) }

  // MARK: Colour

  private enum Style: Int {
    case bold = 1
    case dim = 2
    case red = 31
    case green = 32
    case blue = 34
  }

  private func styled(_ style: Style, _ text: String) -> String {
    hasColour && !text.isEmpty ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
  }
}
