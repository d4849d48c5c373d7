import Testing
import WireFormat

@testable import BotSwarm

@Suite struct BotTests {
  @Test(arguments: MovementProfile.allCases) func botsStayInTheirAreaAndMoveAsTheyShould(profile: MovementProfile) {
    let area = Mover.Area(x: -20...20, y: 0...30)
    var mover = Mover(profile, in: area, seed: 3)
    var fastest = 0.0
    for _ in 0..<30_000 {
      let before = (mover.x, mover.y)
      mover.step(seconds: 1.0 / 30)
      let moved = ((mover.x - before.0) * (mover.x - before.0) + (mover.y - before.1) * (mover.y - before.1))
        .squareRoot()
      fastest = max(fastest, moved * 30)
      #expect(area.x.contains(mover.x) && area.y.contains(mover.y))
    }
    switch profile {
    case .walk: #expect((2.5...4.01).contains(fastest))
    case .wander: #expect((6...8.01).contains(fastest))
    case .burst: #expect((7...9.01).contains(fastest))
    case .idle: #expect(fastest == 0)
    }
  }

  @Test func walkersTurnSmoothly() {
    var mover = Mover(.walk, in: Mover.Area(x: -1_000...1_000, y: -1_000...1_000), seed: 9)
    for _ in 0..<3_000 {
      let before = mover.heading
      mover.step(seconds: 1.0 / 30)
      let turn = min(abs(mover.heading - before), 2 * .pi - abs(mover.heading - before))
      #expect(turn < 0.03)
    }
  }

  @Test func theSameSeedMovesTheSameWay() {
    let area = Mover.Area(x: -50...50, y: -50...50)
    func end(_ seed: UInt64) -> (Double, Double) {
      var mover = Mover(.wander, in: area, seed: seed)
      for _ in 0..<1_000 { mover.step(seconds: 0.05) }
      return (mover.x, mover.y)
    }
    #expect(end(5) == end(5))
    #expect(end(5) != end(6))
  }

  @Test func aMixGivesEveryRoomItsShare() throws {
    let mix = try MovementMix("walk=80,idle=20")
    for room in 0..<10 {
      let idle = (0..<50).count { mix.profile(ofBot: room * 50 + $0) == .idle }
      #expect((8...12).contains(idle))
    }
    #expect(mix.description == "walk=80,idle=20")
    #expect(try MovementMix("burst").profile(ofBot: 7) == .burst)
    for text in ["fly=1", "walk=0", "walk=x", "walk=1,walk=2", ""] {
      #expect(throws: PlanError.self) { try MovementMix(text) }
    }
  }

  @Test func fieldsAreFoundByTypeAndName() throws {
    func fields(_ fields: [Field]) throws -> MotionFields? {
      MotionFields(try Schema([EntityKind("thing", capacity: 8, fields: fields)]))
    }
    let vector = try #require(try fields([Field("Position", .vector(3, range: -512...512, step: 0.01))]))
    #expect(vector.area == Mover.Area(x: -50...50, y: -50...50))
    let apart = try #require(
      try fields([
        Field("x", .fixed(range: 0...30, step: 0.5)), Field("y", .fixed(range: 0...4, step: 0.5)),
        Field("z", .fixed(range: 0...200, step: 0.5)),
      ]))
    #expect(apart.area == Mover.Area(x: 0...30, y: 50...150))
    #expect(try fields([Field("health", .unsigned(bits: 7))]) == nil)
  }

  @Test func countersAreNextDoubledOrMissing() {
    var talk = Talk(interval: 1, seed: 1)
    let sender = PlayerID(rawValue: 3)
    let orders = [1, 2, 2, 5, 1, 6].map { talk.hear($0, from: sender) }
    #expect(orders == [.next, .next, .again, .skipping(2), .again, .next])
    #expect(talk.lastHeard(from: sender) == 6)
    #expect(talk.lastHeard(from: PlayerID(rawValue: 900)) == 0)
  }

  @Test func planFaultsNameTheOptionTheValueAndTheWayOut() {
    var plan = SwarmPlan()
    plan.bots = 25_000
    let error = #expect(throws: PlanError.self) { try plan.validate(descriptorLimit: 20_000) }
    #expect(error?.description.contains("--bots 25000") == true)
    #expect(error?.description.contains("--local-address") == true)
    plan.bots = 10
    plan.loops = 4
    plan.roomSize = 10
    #expect(throws: PlanError.self) { try plan.validate(descriptorLimit: 20_000) }
  }

  @Test func beyondThePortsOfOneAddressBotsComeFromTheNext() {
    var plan = SwarmPlan()
    #expect(LocalAddress.address(ofBot: 19_999, plan) == nil)
    #expect(LocalAddress.address(ofBot: 20_000, plan) == "127.0.0.2")
    #expect(LocalAddress.address(ofBot: 40_000, plan) == "127.0.0.3")
    plan.host = "192.0.2.1"
    #expect(LocalAddress.address(ofBot: 40_000, plan) == nil)
    plan.localAddress = "192.0.2.9"
    #expect(LocalAddress.address(ofBot: 0, plan) == "192.0.2.9")
  }
}
