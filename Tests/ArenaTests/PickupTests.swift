import ArenaShared
import RoomEngine
import RoomTestKit
import Testing
import WireFormat

@Suite struct PickupTests {
  @Test(arguments: [true, false])
  func isTakenByOneAndComesBack(heals: Bool) throws {
    let bout = try Bout()
    let players = [try bout.join(at: SIMD2(0, 0.5)), try bout.join(at: SIMD2(0.5, 0))]
    for player in players { bout.room[try bout.avatar(of: player), bout.fields.health] = 50 }
    bout.place(try #require(bout.room.create(bout.fields.pickup)), at: SIMD2(0, 0), heals: heals)
    bout.sim.advance(ticks: 2)
    #expect(players[0].entities(bout.fields.pickup).isEmpty)
    // Both stand on it: the lower number has it.
    #expect(try players.map(bout.health) == (heals ? [50 + ArenaRules.healing, 50] : [50, 50]))
    #expect(try players.map(bout.score) == (heals ? [0, 0] : [1, 0]))

    bout.sim.advance(by: ArenaRules.pickupDelay)
    #expect(players[0].entities(bout.fields.pickup).count == 1)
  }

  @Test func healingEndsAtFullHealth() throws {
    let bout = try Bout()
    let player = try bout.join()
    bout.room[try bout.avatar(of: player), bout.fields.health] = 90
    bout.place(try #require(bout.room.create(bout.fields.pickup)), at: SIMD2(0, 0), heals: true)
    bout.sim.advance(ticks: 1)
    #expect(try bout.health(of: player) == ArenaRules.health)
  }

  @Test func thereAreAsManyAsTheRulesSay() throws {
    let bout = try Bout(pickups: true)
    let player = try bout.join(at: SIMD2(0, 0))
    let pickups = player.entities(bout.fields.pickup)
    #expect(pickups.count == ArenaRules.pickups)
    #expect(pickups.allSatisfy { player.owner(of: $0) == nil })
  }
}
