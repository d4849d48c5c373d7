/// What is asked of a server under a hostile mix: of each behaviour that it is dealt with, of healthy bots that they
/// notice nothing, of memory that it is flat and given back.
extension SwarmReport {
  var hostileChecks: [Check] {
    guard let status = hostile, let plan = setting.hostile else { return [] }
    return plan.mix.counts.map { check($0.kind, status.tallies[$0.kind] ?? HostileTally(), plan) }
  }

  private func check(_ kind: HostileKind, _ tally: HostileTally, _ plan: HostilePlan) -> Check {
    // A behaviour that nobody could show has proved nothing, unless the run was cut short.
    let hasProof = wasInterrupted || kind.isProved(by: tally, plan)
    var value = kind.achievement(tally)
    if tally.survived > 0 { value += "; \(Format.grouped(tally.survived)) not ended in time" }
    if tally.wrongCount > 0 { value += "; wrong: \(Self.listed(tally.wrong))" }
    if !hasProof, tally.acted > 0 { value += "; give it a longer --duration" }
    if tally.acted == 0 { value += "; turned away: \(Self.listed(tally.refused))" }
    return Check(
      name: "hostile \(kind.rawValue)", isOK: tally.survived == 0 && tally.wrongCount == 0 && hasProof, value: value,
      requirement: kind.demand(plan), nature: .correctness)
  }

  var comparisonChecks: [Check] {
    guard let most = thresholds.maxP99Ratio else { return [] }
    let ratio = comparison?.p99Ratio
    return [
      Check(
        name: "p99 ratio", isOK: ratio.map { $0 <= most } ?? false, value: Format.decimal(ratio, places: 2),
        requirement: "at most \(Format.decimal(most, places: 2)) of that without the mix", nature: .timing)
    ]
  }

  var memoryChecks: [Check] {
    var checks: [Check] = []
    if let most = thresholds.maxResidentMovement {
      let moved = residentMovement
      checks.append(
        Check(
          name: "rss flat", isOK: moved.map { $0 <= most } ?? false,
          value: moved.map { Format.percent($0, places: 1) } ?? "not measured",
          requirement: "moves at most \(Format.percent(most, places: 1)) in the last \(Self.flatSeconds) s",
          nature: .correctness))
    }
    if let most = thresholds.maxResidentGrowth {
      let growth = census?.residentGrowth
      checks.append(
        Check(
          name: "rss after", isOK: growth.map { $0 <= most } ?? false,
          value: growth.map { Format.percent($0, places: 1) } ?? "not measured",
          requirement: "at most \(Format.percent(most, places: 1)) above that before the run", nature: .correctness))
    }
    guard let census else { return checks }
    let left = census.leftovers
    checks.append(
      Check(
        name: "census", isOK: left.isEmpty || wasInterrupted,
        value: left.isEmpty ? "settled after \(census.waitedSeconds) s" : left.joined(separator: ", "),
        requirement: census.before.ledger == nil ? "no more descriptors than before" : "nothing held, ledger balanced",
        nature: .correctness))
    return checks
  }

  static func listed(_ counts: [String: Int]) -> String {
    if counts.isEmpty { return "none" }
    return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .map { "\(Format.grouped($0.value)) \($0.key)" }.joined(separator: ", ")
  }
}

extension HostileKind {
  /// What came of it, in words.
  func achievement(_ tally: HostileTally) -> String {
    switch self {
    case .hop: "\(Format.grouped(tally.hops)) hops"
    case .churn, .reset: "\(Format.grouped(tally.cycles)) connections"
    case .zeroWindow:
      "\(Format.grouped(tally.converged)) converged (\(Format.grouped(tally.keyframes)) by keyframe), "
        + "\(Format.grouped(tally.eventsCompared)) events compared"
    default: "\(Format.grouped(tally.endCount)) ended: \(SwarmReport.listed(tally.ends))"
    }
  }

  /// Whether enough was done to conclude anything.
  func isProved(by tally: HostileTally, _ plan: HostilePlan) -> Bool {
    switch self {
    case .hop: tally.hops >= max(1, (plan.hops ?? 0) * plan.bots(.hop))
    case .churn: tally.cycles >= max(1, plan.cycles ?? 0)
    case .reset: tally.cycles > 0
    case .zeroWindow: tally.keyframes > 0
    default: tally.endCount > 0
    }
  }

  /// What the server must do.
  func demand(_ plan: HostilePlan) -> String {
    func seconds(_ value: Double) -> String { "\(Format.decimal(value, places: value < 1 ? 1 : 0)) s" }
    let limits = plan.limits
    return switch self {
    case .stalled:
      "must be ended \(seconds(limits.stallSeconds)) after its buffers are full, or after \(seconds(limits.idleSeconds))"
    case .neverReads: "must be ended \(seconds(limits.stallSeconds)) after its buffers are full"
    case .readsSlowly: "must be ended \(seconds(limits.lagSeconds)) after its buffers are full"
    case .zeroWindow: "must stay, get one keyframe and every reliable event"
    case .halfOpen: "must be forgotten within \(seconds(limits.idleSeconds))"
    case .halfClose: "must be let go \(seconds(limits.stallSeconds)) after its end"
    case .silent, .slowloris: "must be ended within \(seconds(limits.handshakeSeconds))"
    case .garbage, .oversize: "must be ended at once, with the reason"
    case .inputFlood, .joinFlood: "must be slowed to its rate, and not be ended"
    case .hop: "must not be ended" + (plan.hops.map { "; \(Format.grouped($0 * plan.bots(.hop))) asked for" } ?? "")
    case .churn: "must be taken in" + (plan.cycles.map { "; \(Format.grouped($0)) asked for" } ?? "")
    case .reset: "must be taken in"
    case .badTickets: "must be refused, or supersede the older connection"
    case .eventFlood: "must be kept, or ended for what waits of it"
    case .entityChurn: "must be kept"
    case .resumeLoop: "must be taken back each time"
    }
  }
}
