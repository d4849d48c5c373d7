import Testing
import WireFormat

@testable import BotSwarm

/// What a server that stands still looks like to those who wait.
@Suite struct StandstillTests {
  private let room = OverdueFrames.RoomTimes(start: 1_000_000, tickRate: 30, roundTripMicroseconds: 1_000)

  private func ages(
    after last: UInt32, before next: UInt32 = .max, now: UInt64, waitsSince: UInt64?, windowStart: UInt64 = 0
  ) -> [UInt64] {
    var ages: [UInt64] = []
    OverdueFrames.forEach(
      after: (Tick(last), room.due(last) + 500), before: next, now: now, waitsSince: waitsSince,
      windowStart: windowStart, in: room
    ) { ages.append($0) }
    return ages
  }

  @Test func eachTickLeftOutCountsWithItsAge() {
    // Stopped after tick 30 for three seconds; the next frame is that of tick 120.
    let now = room.due(120)
    let found = ages(after: 30, before: 120, now: now, waitsSince: room.due(30))
    // Ticks 32 to 119: what was sent at tick 30 may have come too late for the one after it.
    #expect(found == (32..<120).map { now - room.due($0) })
    #expect(found.max() ?? 0 > 2_900_000)
  }

  @Test func aRoomInWhichNobodyWaitsOwesAFrameASecond() {
    let now = room.due(120)
    let found = ages(after: 30, before: 120, now: now, waitsSince: nil)
    #expect(found.count == 2)
    #expect(found.allSatisfy { (700_000...1_950_000).contains($0) })
    #expect(ages(after: 30, before: 60, now: room.due(60), waitsSince: nil) == [], "its next frame is in time")
  }

  @Test func anInputThatIsOnItsWayMakesNothingOverdue() {
    let now = room.due(40)
    #expect(ages(after: 30, before: 40, now: now, waitsSince: now - 20_000) == [])
    #expect(ages(after: 39, before: 40, now: now, waitsSince: 0) == [])
  }

  @Test func onlyTicksOfTheWindowCount() {
    let now = room.due(120)
    let found = ages(after: 30, before: 120, now: now, waitsSince: room.due(30), windowStart: room.due(100))
    #expect(found.count == 20)
  }

  @Test func whatIsOlderThanAMinuteOrHasNoEndIsBounded() {
    let now = room.due(1_000_000)
    #expect(ages(after: 1, now: now, waitsSince: 0).count <= 60 * 30)
    #expect(ages(after: 1, before: .max, now: 5, waitsSince: 0) == [], "nothing is due yet")
  }

  @Test func theLongestGapHasBothEndsOfTheWindow() {
    var window = SteadyWindow()
    #expect(window.longestGap(fromMicroseconds: 1_000, toMicroseconds: 9_000) == 8_000)
    for time in [4_000, 4_500, 6_000] as [UInt64] { window.recordFrame(atMicroseconds: time) }
    #expect(window.longestGap(fromMicroseconds: 1_000, toMicroseconds: 7_000) == 3_000, "before the first")
    #expect(window.longestGap(fromMicroseconds: 3_900, toMicroseconds: 9_000) == 3_000, "after the last")
    #expect(window.longestGap(fromMicroseconds: 3_900, toMicroseconds: 6_100) == 1_500, "between two")
  }

  @Test func theWorstBotsGapIsNotHidden() throws {
    let gaps = try #require(GapSummary([UInt64](repeating: 40_000, count: 99) + [3_000_000]))
    #expect(gaps.maxMicroseconds == 3_000_000 && gaps.p99Microseconds == 3_000_000 && gaps.p50Microseconds == 40_000)
    #expect(GapSummary([]) == nil)
  }

  @Test func aGapOverTheThresholdFailsAndOneNotMeasuredDoes() {
    var report = syntheticReport()
    report.thresholds.maxFrameGapMicroseconds = 500_000
    #expect(report.verdict.line.contains("frame gap: -"))
    report.totals.gapsMicroseconds = [33_000, 499_000]
    #expect(report.verdict.outcome == .ok)
    report.totals.gapsMicroseconds = [33_000, 501_000]
    #expect(report.verdict.outcome == .failed)
    #expect(SummaryTable(report).text.contains("FAILED  frame gap"))
  }

  @Test func aBusySwarmExcusesMillisecondsAndNoSeconds() {
    var report = syntheticReport()
    for index in report.seconds.indices { report.seconds[index].loopBusy = 0.98 }
    report.totals.inputLateness.record(microseconds: 150_000)
    report.thresholds.maxFrameGapMicroseconds = 500_000
    report.totals.gapsMicroseconds = [900_000]
    #expect(report.verdict.outcome == .inconclusive)
    report.totals.gapsMicroseconds = [1_900_000]
    #expect(report.verdict.outcome == .inconclusive, "ten times what its own timer was late")
    report.totals.gapsMicroseconds = [3_000_000]
    #expect(report.verdict.outcome == .failed)
  }

  @Test func connectionsThatWereLostAndCameBackAreToldAndMayBeForbidden() {
    var report = syntheticReport()
    report.totals.lostConnections = ["peerReset": 3]
    report.totals.resumes = 3
    report.totals.longestAwayMicroseconds = 240_000
    #expect(report.verdict.outcome == .ok)
    #expect(SummaryTable(report).text.contains("3 peerReset; 3 resumed, 0 sessions lost, longest away 240.0 ms"))
    for key in ["\"peerReset\": 3", "\"resumes\": 3", "\"longestAwayMicroseconds\": 240000"] {
      #expect(report.json.text.contains(key))
    }
    report.thresholds.maxLostConnections = 2
    #expect(report.verdict.line.contains("lost connections: 3, at most 2"))
  }
}

/// Events whose fate is unknown after a loss.
@Suite struct DoubtsTests {
  private let sender = PlayerID(rawValue: 4)

  @Test func whatNobodyHasHeardNeedNotBeHeard() {
    var doubts = Doubts()
    doubts.add(5...6, of: sender)
    let excused = [5, 6, 6, 7].map { doubts.excuse($0, of: sender) }
    #expect(excused == [true, true, true, false])
    let ofAnother = doubts.excuse(5, of: PlayerID(rawValue: 3))
    #expect(!ofAnother)
  }

  @Test func whatOneHasHeardAllMustHear() {
    var doubts = Doubts()
    doubts.add(5...6, of: sender)
    let first = doubts.hear(5, from: sender)
    let missedLater = doubts.excuse(5, of: sender)
    #expect(first && !missedLater)
    let missed = doubts.excuse(6, of: sender)
    let heardLater = doubts.hear(6, from: sender)
    #expect(missed && !heardLater)
    let others = [4, 7].map { doubts.hear($0, from: sender) }
    #expect(others == [true, true], "of those nothing was in doubt")
  }
}
