import Testing

@testable import BotSwarm

@Suite("A hostile mix") struct HostileMixTests {
  @Test("names its behaviours, in their order") func named() throws {
    let mix = try HostileMix("garbage=3,never-reads=25")
    #expect(mix.description == "never-reads=25,garbage=3")
    #expect(mix.bots == 28)
  }

  @Test("of all spreads over all, the first ones getting what is left over") func all() throws {
    let kinds = HostileKind.allCases.count
    let mix = try HostileMix("all=\(kinds * 3 + 2)")
    #expect(mix.counts.map(\.kind) == HostileKind.allCases)
    #expect(mix.counts.map(\.count) == [4, 4] + [Int](repeating: 3, count: kinds - 2))
  }

  @Test("of all and some adds up") func allAndSome() throws {
    let kinds = HostileKind.allCases.count
    let mix = try HostileMix("stalled=50,all=\(kinds)")
    #expect(mix.counts.first?.count == 51)
  }

  @Test(
    "refuses what it does not know, with the nearest that it does",
    arguments: [
      ("never-read=3", "did you mean \"never-reads\"?"), ("nevr=3", "There are all, stalled, never-reads"),
      ("garbage", "as in garbage=25"), ("garbage=0", "from 1 to 10000"), ("garbage=x", "from 1 to 10000"),
      ("hop=1,hop=2", "stands twice"), ("all=3", "fewer than"), ("", "is not a behaviour"),
    ])
  func refused(text: String, said: String) {
    let error = #expect(throws: PlanError.self) { try HostileMix(text) }
    #expect(error?.description.contains(said) == true, "\(error?.description ?? "")")
  }

  @Test("wants what belongs together") func plan() throws {
    func fault(_ change: (inout HostilePlan) -> Void) throws -> String {
      var plan = HostilePlan(try HostileMix("silent=1"))
      change(&plan)
      return #expect(throws: PlanError.self) { try plan.validate() }?.description ?? ""
    }
    #expect(try fault { $0.hops = 10 }.contains("add hop=1"))
    #expect(try fault { $0.cycles = 10 }.contains("add churn=25"))
    #expect(try fault { $0.repeats = 3 }.contains("--baseline"))
    var plan = SwarmPlan()
    plan.thresholds.maxP99Ratio = 1.1
    #expect(throws: PlanError.self) { try plan.validate(descriptorLimit: 20_000) }
    plan.thresholds = Thresholds()
    plan.thresholds.maxResidentMovement = 0.02
    plan.serverPID = 1
    let error = #expect(throws: PlanError.self) { try plan.validate(descriptorLimit: 20_000) }
    #expect(error?.description.contains("--duration is at least that, not 10") == true)
  }
}
