/// What the run proves.
package struct Verdict: Hashable, Sendable {
  package enum Outcome: String, Sendable {
    case ok
    case failed
    /// Only timing fell short, and the swarm itself was too slow to tell whose fault that was.
    case inconclusive
  }

  package let outcome: Outcome
  package let checks: [Check]
  /// Why the swarm's own speed was the limit; nil when it was not.
  package let swarmLimit: String?

  /// 0 ok, 1 failed, 3 inconclusive; 2 is left for a swarm that could not run.
  package var exitStatus: Int32 {
    switch outcome {
    case .ok: 0
    case .failed: 1
    case .inconclusive: 3
    }
  }

  /// What the reader of the timing figures must know; nil when the swarm was quick enough.
  package var caution: String? {
    guard outcome != .inconclusive else { return nil }
    return swarmLimit.map { "take the timing figures with care: \($0)" }
  }

  /// `verdict: ok`, or which checks failed.
  package var line: String {
    let failed = checks.filter { !$0.isOK }.map { "\($0.name): \($0.value), \($0.requirement)" }.joined(separator: "; ")
    switch outcome {
    case .ok: return "verdict: ok"
    case .failed: return "verdict: FAILED (\(failed))"
    case .inconclusive: return "verdict: INCONCLUSIVE (\(swarmLimit ?? ""); \(failed))"
    }
  }
}

/// One thing that was checked.
package struct Check: Hashable, Sendable {
  package enum Nature: Sendable {
    /// Never excused.
    case correctness
    /// Depends on speed: a swarm that was itself too slow may be the cause.
    case timing
  }

  /// A stable name in lower case, also the key in JSON.
  package let name: String
  package let isOK: Bool
  package let value: String
  package let requirement: String
  package let nature: Nature
}

extension SwarmReport {
  /// A loop that runs more than this share of the time has no reserve for bursts.
  static let busyLimit = 0.9
  /// With so few idle cores, processes wait for each other.
  static let machineLimit = 0.97

  package var verdict: Verdict {
    let checks = correctnessChecks + timingChecks + hostileChecks + comparisonChecks + memoryChecks
    let limit = swarmLimit
    let failed = checks.filter { !$0.isOK }
    let outcome: Verdict.Outcome
    if failed.isEmpty {
      outcome = .ok
    } else if limit != nil, failed.allSatisfy({ $0.nature == .timing }) {
      outcome = .inconclusive
    } else {
      outcome = .failed
    }
    return Verdict(outcome: outcome, checks: checks, swarmLimit: limit)
  }

  /// Whether the swarm could not keep up with itself: then late frames say nothing about the server.
  package var swarmLimit: String? {
    if let loopBusy, loopBusy >= Self.busyLimit {
      return "the swarm itself was the limit: its loop was busy \(Format.percent(loopBusy))"
    }
    if let machineBusy, machineBusy >= Self.machineLimit {
      return "the swarm's machine was the limit: its cores were busy \(Format.percent(machineBusy)), "
        + "the swarm itself used \(Format.percent(swarmCores)) of one"
    }
    let halfTick = 500_000 / UInt64(max(1, setting.tickRate))
    if let lateness = totals.inputLateness.summary, setting.tickRate > 0, lateness.p99Microseconds > halfTick {
      let late = Format.duration(microseconds: lateness.p99Microseconds)
      return "the swarm itself was the limit: its own timer was \(late) late (p99), more than half a tick"
    }
    return nil
  }

  private var correctnessChecks: [Check] {
    let totals = self.totals
    let faults = totals.faults
    func none(_ name: String, _ count: Int, of what: String = "") -> Check {
      Check(
        name: name, isOK: count == 0, value: Format.grouped(count) + what, requirement: "must be 0",
        nature: .correctness)
    }
    var checks = [
      none("gaps", faults.gaps), none("order", faults.orderFaults),
      none("decode errors", faults.decodeErrors),
      none("hash differences", faults.hashDifferences, of: " of \(Format.grouped(totals.hashesCompared)) compared"),
      none("events lost", faults.eventsLost, of: " of \(Format.grouped(totals.eventsChecked)) checked"),
      none("events doubled", faults.eventsDoubled), none("events out of order", faults.eventsOutOfOrder),
      none("calls", faults.callFaults, of: " wrong of \(Format.grouped(totals.callsMade))"),
    ]
    // A check that compared nothing has proved nothing.
    if setting.roomSize > 1, setting.bots > 1 {
      checks.append(proof("hashes compared", totals.hashesCompared))
      if setting.eventIntervalSeconds > 0 { checks.append(proof("events checked", totals.eventsChecked)) }
    }
    checks.append(none("sockets left open", totals.socketsLeftOpen))
    return checks
  }

  private func proof(_ name: String, _ count: UInt64) -> Check {
    Check(
      name: name, isOK: count > 0, value: Format.grouped(count), requirement: "must be above 0", nature: .correctness)
  }

  /// A swarm that was some milliseconds late explains no second: by more than that, and ten times its own worst, it is
  /// the server that was late.
  private func nature(of value: UInt64?, over most: UInt64) -> Check.Nature {
    guard let value, value > most else { return .timing }
    let own = totals.inputLateness.summary?.maxMicroseconds ?? 0
    return value - most > max(1_000_000, 10 * own) ? .correctness : .timing
  }

  private var timingChecks: [Check] {
    var checks = [
      Check(
        name: "joined", isOK: totals.joined == setting.bots || wasInterrupted, value: Format.grouped(totals.joined),
        requirement: "must be \(Format.grouped(setting.bots))", nature: .timing),
      Check(
        name: "disconnects", isOK: totals.disconnectCount == 0, value: Format.grouped(totals.disconnectCount),
        requirement: "must be 0", nature: .timing),
    ]
    if let least = thresholds.minFramesPerSecond {
      checks.append(
        Check(
          name: "min fps", isOK: (rates?.min ?? 0) >= least, value: Format.decimal(rates?.min, places: 2),
          requirement: "at least \(Format.decimal(least, places: 2))", nature: .timing))
    }
    if let most = thresholds.maxP99LatencyMicroseconds {
      let p99 = totals.frameLatency.summary?.p99Microseconds
      checks.append(
        Check(
          name: "p99 latency", isOK: p99.map { $0 <= most } ?? false, value: Format.duration(microseconds: p99),
          requirement: "at most \(Format.duration(microseconds: most))", nature: nature(of: p99, over: most)))
    }
    if let most = thresholds.maxFrameGapMicroseconds {
      let longest = gaps?.maxMicroseconds
      checks.append(
        Check(
          name: "frame gap", isOK: longest.map { $0 <= most } ?? false,
          value: Format.duration(microseconds: longest),
          requirement: "at most \(Format.duration(microseconds: most)) without a frame",
          nature: nature(of: longest, over: most)))
    }
    if let most = thresholds.maxLostConnections {
      let lost = totals.lostConnectionCount
      checks.append(
        Check(
          name: "lost connections", isOK: lost <= most, value: Format.grouped(lost),
          requirement: "at most \(Format.grouped(most)), come back or not", nature: .timing))
    }
    return checks + resourceChecks
  }

  private var resourceChecks: [Check] {
    var checks: [Check] = []
    if let most = thresholds.maxServerResidentBytes {
      let peak = serverPeakResidentBytes
      checks.append(
        Check(
          name: "server rss", isOK: peak.map { $0 <= Int(clamping: most) } ?? false,
          value: peak.map { Format.bytes($0) } ?? "not measured", requirement: "at most \(Format.bytes(most))",
          nature: .correctness))
    }
    if let most = thresholds.maxBytesPerEntityUpdate {
      let value = totals.bytesPerEntityUpdate
      checks.append(
        Check(
          name: "bytes per entity", isOK: value.map { $0 <= most } ?? false, value: Format.decimal(value, places: 2),
          requirement: "at most \(Format.decimal(most, places: 2))", nature: .correctness))
    }
    return checks
  }
}
