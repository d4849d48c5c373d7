import RoomEngine
import Testing
import TickServer

@testable import BotSwarm

/// Every behaviour against a real server: one with short deadlines deals with all of them, one that waits for minutes is
/// found out.
@Suite("Hostile bots") struct HostileRunTests {
  private static let healthyBots = 70

  /// With the server's deadlines and its send buffer, so that each behaviour has its end in a few seconds.
  private func plan(_ port: UInt16, _ mix: String) throws -> SwarmPlan {
    var plan = SwarmPlan()
    plan.port = port
    plan.bots = Self.healthyBots
    plan.roomSize = Self.healthyBots
    // Frames must fill the buffers of who does not read within seconds.
    plan.mix = try MovementMix("wander=1")
    plan.roomKind = "plane"
    plan.inputRate = 30
    plan.eventIntervalSeconds = 1
    var hostile = HostilePlan(try HostileMix(mix))
    hostile.limits.handshakeSeconds = 0.5
    hostile.limits.idleSeconds = 3
    hostile.limits.stallSeconds = 2.5
    hostile.limits.lagSeconds = 3
    hostile.limits.sendBufferBytes = 4096
    plan.hostile = hostile
    return plan
  }

  private func server<Result>(
    deadlines: Double = 1, _ body: (UInt16) throws -> Result
  ) throws -> Result {
    var limits = RoomLimits()
    limits.frameLogFrames = 8
    limits.stallDeadline = .seconds(2.5 * deadlines)
    limits.lagDeadline = .seconds(3 * deadlines)
    limits.grace = .seconds(5)
    return try withRelayServer(limits: limits) { configuration in
      configuration.handshakeDeadline = .seconds(0.5 * deadlines)
      configuration.idleDeadline = .seconds(3 * deadlines)
      configuration.pingInterval = .seconds(1)
      configuration.sendBuffer = .kib(4)
    } _: { port in
      try body(port)
    }
  }

  @Test("are all dealt with, and healthy bots notice nothing") func dealtWith() throws {
    let report = try server { port in
      var plan = try plan(port, "all=\(HostileKind.allCases.count)")
      plan.durationSeconds = 15
      plan.hostile?.hops = 40
      plan.hostile?.cycles = 50
      plan.hostile?.baselineSeconds = 2
      return try SwarmRun(plan, terminal: nil).run()
    }
    let said = "\(report.verdict.line) \(report.totals.notes) \(report.hostile?.tallies.values.flatMap(\.notes) ?? [])"
    #expect(report.verdict.checks.filter { $0.nature == .correctness && !$0.isOK }.isEmpty, "\(said)")
    #expect(report.totals.faults.total == 0)
    #expect(report.totals.disconnects.isEmpty)
    #expect(report.totals.joined == Self.healthyBots)
    let tallies = try #require(report.hostile?.tallies)
    #expect(Set(tallies.keys) == Set(HostileKind.allCases))
    func ends(_ kind: HostileKind) -> Set<String> { Set(tallies[kind]?.ends.keys.map { $0 } ?? []) }
    #expect(ends(.silent) == ["handshakeTimeout"])
    #expect(ends(.slowloris) == ["handshakeTimeout"])
    #expect(ends(.oversize) == ["messageTooLarge"])
    #expect(ends(.inputFlood) == ["slowed"])
    #expect(ends(.joinFlood) == ["slowed"])
    #expect(ends(.halfOpen) == ["gone"])
    #expect(ends(.halfClose) == ["gone"])
    #expect(ends(.garbage).contains("badMagic"))
    #expect(ends(.badTickets) == ["ticketUnknown", "superseded"])
    #expect(tallies[.zeroWindow]?.keyframes ?? 0 > 0)
    #expect(tallies[.zeroWindow]?.eventsCompared ?? 0 > 0)
    #expect(tallies[.hop]?.hops ?? 0 >= 40)
    #expect(tallies[.churn]?.cycles == 50)
    #expect(report.windows.map(\.kind) == [.baseline, .steady, .baseline])
    #expect(report.comparison?.p99Ratios.count == 1)
  }

  @Test("that the server does not end are found to have survived") func survivors() throws {
    let report = try server(deadlines: 20) { port in
      var plan = try plan(port, "never-reads=2,stalled=1,half-open=2,half-close=2,silent=1,slowloris=1")
      plan.durationSeconds = 20
      return try SwarmRun(plan, terminal: nil).run()
    }
    #expect(report.verdict.outcome == .failed)
    let tallies = try #require(report.hostile?.tallies)
    for kind in [HostileKind.neverReads, .stalled, .halfOpen, .halfClose, .silent, .slowloris] {
      #expect(tallies[kind]?.survived ?? 0 > 0, "\(kind.rawValue)")
      #expect(report.verdict.checks.contains { $0.name == "hostile \(kind.rawValue)" && !$0.isOK })
    }
    #expect(report.totals.disconnects.isEmpty)
  }

  @Test("are measured against a window without them, as often as asked for") func repeated() throws {
    let report = try withRelayServer { port in
      var plan = try plan(port, "garbage=2")
      plan.durationSeconds = 1
      plan.hostile?.baselineSeconds = 1
      plan.hostile?.repeats = 2
      return try SwarmRun(plan, terminal: nil).run()
    }
    #expect(report.windows.map(\.kind) == [.baseline, .steady, .baseline, .steady, .baseline])
    #expect(report.windows.allSatisfy { $0.latency != nil && $0.rates?.bots == Self.healthyBots })
    #expect(report.comparison?.p99Ratios.count == 2)
  }
}
