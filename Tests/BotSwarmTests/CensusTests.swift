import Testing

@testable import BotSwarm

@Suite("A census") struct CensusTests {
  private func run(_ ledgers: [String], within seconds: Int = 10) throws -> SwarmReport {
    let admin = try LedgerServer(ledgers)
    defer { admin.stop() }
    return try withRelayServer { port in
      var plan = SwarmPlan()
      plan.port = port
      plan.bots = 4
      plan.roomSize = 4
      plan.roomKind = "plane"
      plan.inputRate = 30
      plan.eventIntervalSeconds = 0.2
      plan.durationSeconds = 1
      plan.admin = admin.endpoint
      plan.censusSeconds = seconds
      return try SwarmRun(plan, terminal: nil).run()
    }
  }

  private func check(_ report: SwarmReport) throws -> Check {
    try #require(report.verdict.checks.first { $0.name == "census" })
  }

  @Test("waits until the server has given everything back") func waits() throws {
    let report = try run([
      LedgerServer.ledger(), LedgerServer.ledger(seats: 4, leased: 2), LedgerServer.ledger(seats: 4),
      LedgerServer.ledger(),
    ])
    let census = try check(report)
    #expect(census.isOK, "\(census.value)")
    #expect(report.census?.waitedSeconds ?? 0 >= 2)
    #expect(report.verdict.outcome == .ok, "\(report.verdict.line)")
  }

  @Test(
    "of a server that leaks fails, and says what is left",
    arguments: [
      (LedgerServer.ledger(open: 3), "3 open connections"), (LedgerServer.ledger(seats: 2), "2 seats"),
      (LedgerServer.ledger(leased: 1), "1 leased buffers"), (LedgerServer.ledger(pinned: 4096), "4,096 pinned bytes"),
      (LedgerServer.ledger(balanced: false), "the ledger does not balance"),
    ])
  func leaks(ledger: String, said: String) throws {
    let report = try run([LedgerServer.ledger(), ledger], within: 1)
    #expect(try check(report).value == said)
    #expect(report.verdict.outcome == .failed)
  }

  @Test("of descriptors finds those that were not closed") func descriptors() {
    func sample(_ descriptors: Int) -> ProcessSample {
      ProcessSample(residentBytes: 20_000_000, cores: 0, descriptors: descriptors, threads: 3)
    }
    var census = Census(before: Census.Point(sample(12)))
    #expect(census.leftovers == ["the server could not be asked"])
    census.after = Census.Point(sample(14))
    #expect(census.leftovers == ["2 more descriptors than before"])
    census.after = Census.Point(sample(12))
    #expect(census.isSettled)
  }

  @Test("of nobody is told before the run begins") func nobody() throws {
    let admin = try LedgerServer(["{}"])
    let endpoint = admin.endpoint
    let error = #expect(throws: CensusError.self) { try LedgerRequest.wait(for: endpoint) }
    #expect(error?.description.contains("not as expected") == true)
    admin.stop()
    let refused = #expect(throws: CensusError.self) { try LedgerRequest.wait(for: endpoint) }
    #expect(refused?.description.contains("is the server's admin port on?") == true)
  }

  @Test("is asked for at an address") func endpoints() {
    #expect(Endpoint("127.0.0.1:7778")?.port == 7778)
    #expect(Endpoint("[::1]:7778")?.host == "::1")
    #expect(Endpoint(":7778")?.host == "127.0.0.1")
    for text in ["7778", "host", "host:0", "host:99999", ""] { #expect(Endpoint(text) == nil) }
  }
}
