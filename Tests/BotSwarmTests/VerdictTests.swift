import Testing

@testable import BotSwarm

@Suite struct VerdictTests {
  @Test func aRunWithoutFaultsIsOK() {
    let verdict = syntheticReport().verdict
    #expect(verdict.line == "verdict: ok")
    #expect(verdict.exitStatus == 0)
  }

  @Test func eachFaultFailsTheRun() {
    let faults = [
      \FaultCounts.gaps, \FaultCounts.orderFaults, \FaultCounts.hashDifferences, \FaultCounts.eventsLost,
      \FaultCounts.eventsDoubled, \FaultCounts.eventsOutOfOrder, \FaultCounts.callFaults, \FaultCounts.decodeErrors,
    ]
    #expect(faults.count == FaultCounts().named.count)
    for fault in faults {
      var report = syntheticReport()
      report.totals.faults[keyPath: fault] = 1
      #expect(report.verdict.outcome == .failed)
      #expect(report.verdict.exitStatus == 1)
    }
  }

  @Test func aSlowSwarmExcusesNoFault() {
    var report = saturated(syntheticReport())
    report.totals.faults.gaps = 1
    #expect(report.verdict.outcome == .failed)
  }

  @Test func aSlowSwarmMakesMissedTimingInconclusive() {
    var report = saturated(syntheticReport())
    report.thresholds.minFramesPerSecond = 29.99
    let verdict = report.verdict
    #expect(verdict.outcome == .inconclusive)
    #expect(verdict.exitStatus == 3)
    #expect(verdict.line.contains("the swarm itself was the limit: its loop was busy 98%"))
  }

  @Test func missedTimingWithAnIdleSwarmIsTheServersFault() {
    var report = syntheticReport()
    report.thresholds.minFramesPerSecond = 29.99
    #expect(report.verdict.outcome == .failed)
    #expect(report.verdict.line.contains("min fps: 29.90, at least 29.99"))
  }

  @Test func lateTimersOfTheSwarmAreItsOwnFault() {
    var report = syntheticReport()
    report.totals.inputLateness.record(microseconds: 80_000)
    #expect(report.swarmLimit?.contains("80") == true)
    #expect(report.verdict.line == "verdict: ok")
    #expect(report.verdict.caution?.contains("with care") == true)
  }

  @Test func aMachineWithoutAnIdleCoreIsToldApartFromASlowServer() {
    var report = syntheticReport()
    for index in report.seconds.indices { report.seconds[index].machineBusy = 0.99 }
    report.thresholds.minFramesPerSecond = 29.99
    #expect(report.verdict.outcome == .inconclusive)
    #expect(report.verdict.line.contains("its cores were busy 99%, the swarm itself used 42% of one"))
  }

  @Test func thresholdsOnSizeAndLatencyAreKept() {
    var report = syntheticReport()
    report.thresholds.maxServerResidentBytes = 60 << 20
    report.thresholds.maxBytesPerEntityUpdate = 8.5
    report.thresholds.maxP99LatencyMicroseconds = 50_000
    #expect(report.verdict.outcome == .ok)
    report.thresholds.maxServerResidentBytes = 20 << 20
    report.thresholds.maxBytesPerEntityUpdate = 8.3
    report.thresholds.maxP99LatencyMicroseconds = 1_000
    let failed = report.verdict.checks.filter { !$0.isOK }.map(\.name)
    #expect(failed == ["p99 latency", "server rss", "bytes per entity"])
  }

  @Test func aThresholdOnSomethingNotMeasuredFails() {
    var report = syntheticReport()
    for index in report.seconds.indices { report.seconds[index].server = nil }
    report.thresholds.maxServerResidentBytes = 60 << 20
    #expect(report.verdict.line.contains("server rss: not measured"))
  }

  @Test func aRunThatComparedNothingHasProvedNothing() {
    var report = syntheticReport()
    report.totals.hashesCompared = 0
    #expect(report.verdict.line.contains("hashes compared"))
  }

  @Test func aBotThatDidNotJoinOrWasThrownOutFailsTheRun() {
    var report = syntheticReport()
    report.totals.joined = 99
    #expect(report.verdict.outcome == .failed)
    report.totals.joined = 100
    report.totals.disconnects = ["slowConsumer": 1]
    #expect(report.verdict.outcome == .failed)
  }

  private func saturated(_ report: SwarmReport) -> SwarmReport {
    var report = report
    for index in report.seconds.indices { report.seconds[index].loopBusy = 0.98 }
    return report
  }
}
