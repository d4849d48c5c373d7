import Testing

@testable import BotSwarm

@Suite("The verdict on a hostile run") struct HostileVerdictTests {
  private func report(_ mix: String, _ tallies: [HostileKind: HostileTally]) throws -> SwarmReport {
    var report = syntheticReport()
    report.setting.hostile = HostilePlan(try HostileMix(mix))
    var status = HostileStatus()
    status.tallies = tallies
    report.hostile = status
    return report
  }

  private func tally(_ change: (inout HostileTally) -> Void) -> HostileTally {
    var tally = HostileTally()
    tally.acted = 3
    tally.ends = ["handshakeTimeout": 3]
    change(&tally)
    return tally
  }

  @Test("is ok when each was ended as it should") func ok() throws {
    let report = try report("silent=1", [.silent: tally { _ in }])
    #expect(report.verdict.outcome == .ok)
    #expect(SummaryTable(report).text.contains("3 ended: 3 handshakeTimeout"))
    #expect(HTMLReport(report).text.contains("connects and says nothing"))
    #expect(report.json.text.contains("\"name\": \"silent\""))
  }

  @Test("fails for a survivor, a wrong end, and a behaviour that nobody showed, however slow the swarm was")
  func failures() throws {
    let bad: [(inout HostileTally) -> Void] = [
      { $0.survived = 1 }, { $0.wrong = ["idle": 1] }, { $0.ends = [:] },
      { ($0.acted, $0.ends, $0.refused) = (0, [:], ["roomFull": 9]) },
    ]
    for change in bad {
      var report = try report("silent=1", [.silent: tally(change)])
      for index in report.seconds.indices { report.seconds[index].loopBusy = 0.98 }
      #expect(report.verdict.outcome == .failed)
    }
  }

  @Test("asks for the hops and cycles that were asked for") func work() throws {
    for (hops, outcome) in [(99, Verdict.Outcome.failed), (100, .ok)] {
      var report = try report("hop=2", [.hop: tally { $0.hops = hops }])
      report.setting.hostile?.hops = 50
      #expect(report.verdict.outcome == outcome)
    }
  }

  @Test("asks a zero-window bot for a keyframe") func zeroWindow() throws {
    #expect(try report("zero-window=1", [.zeroWindow: tally { $0.converged = 2 }]).verdict.outcome == .failed)
    let good = try report("zero-window=1", [.zeroWindow: tally { ($0.converged, $0.keyframes) = (2, 2) }])
    #expect(good.verdict.outcome == .ok)
  }

  @Test("compares each window with those without the mix around it") func neighbours() throws {
    var report = syntheticReport()
    func window(_ kind: MeasuredWindow.Kind, _ microseconds: UInt64) -> MeasuredWindow {
      var distribution = Distribution()
      distribution.record(microseconds: microseconds)
      var window = MeasuredWindow(kind, seconds: 0..<5)
      window.latency = distribution.summary
      return window
    }
    // The machine slows down to a third; the mix adds nothing.
    report.windows = [window(.baseline, 100), window(.steady, 150), window(.baseline, 200)]
    report.windows += [window(.steady, 250), window(.baseline, 300)]
    #expect(report.comparison?.p99Ratios == [1, 1])
    report.windows.removeLast()
    #expect(report.comparison?.p99Ratios == [1, 1.25], "the last has one neighbour")
  }

  @Test("lets the median of the ratios count") func ratios() throws {
    var report = syntheticReport()
    let latency = try #require(report.totals.frameLatency.summary)
    var slow = Distribution()
    report.windows = []
    for factor in [1, 4, 2] as [UInt64] {
      var baseline = MeasuredWindow(.baseline, seconds: 0..<5)
      baseline.latency = latency
      var steady = MeasuredWindow(.steady, seconds: 5..<25)
      slow.reset()
      slow.record(microseconds: latency.p99Microseconds * factor)
      steady.latency = slow.summary
      report.windows += [baseline, steady]
    }
    #expect(report.comparison?.p99Ratios.map { $0.rounded() } == [1, 4, 2])
    #expect(report.comparison?.p99Ratio?.rounded() == 2)
    report.thresholds.maxP99Ratio = 2.5
    #expect(report.verdict.outcome == .ok)
    report.thresholds.maxP99Ratio = 1.1
    #expect(report.verdict.outcome == .failed)
    report.windows = [MeasuredWindow(.steady, seconds: 5..<25)]
    #expect(report.verdict.line.contains("p99 ratio"), "nothing compared is nothing proved")
  }

  @Test("finds memory that does not stay flat in the last 30 s") func memory() {
    var report = syntheticReport()
    report.thresholds.maxResidentMovement = 0.02
    #expect(report.verdict.line.contains("rss flat: not measured"))
    report.seconds = (1...40).map { second in
      var sample = SecondSample(second: second)
      sample.server = ProcessSample(
        residentBytes: second < 10 ? 30_000_000 : 20_000_000 + second * 5_000, cores: 0.1, descriptors: 9, threads: 3)
      return sample
    }
    report.windows = [MeasuredWindow(.steady, seconds: 0..<40)]
    #expect(report.verdict.outcome == .ok)
    report.seconds[39].server?.residentBytes = 21_000_000
    #expect(report.verdict.line.contains("rss flat"))
  }

  @Test("compares memory after the run with that before") func after() {
    var report = syntheticReport()
    func point(_ bytes: Int) -> Census.Point {
      Census.Point(ProcessSample(residentBytes: bytes, cores: 0, descriptors: 9, threads: 3))
    }
    report.census = Census(before: point(20_000_000))
    report.census?.after = point(23_000_000)
    report.thresholds.maxResidentGrowth = 0.2
    #expect(report.verdict.outcome == .ok)
    report.thresholds.maxResidentGrowth = 0.1
    #expect(report.verdict.line.contains("rss after: 15.0%"))
  }
}
