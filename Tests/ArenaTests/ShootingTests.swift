import ArenaShared
import ClientCore
import RoomEngine
import Testing
import WireFormat

@Suite struct ShootingTests {
  /// A bout in which the first player stands so many metres to the left of the second.
  private func duel(metres: Double) throws -> (bout: Bout, shooter: Challenger, target: Challenger, avatar: EntityID) {
    let bout = try Bout()
    let (shooter, target) = (try bout.join(), try bout.join())
    let (one, other) = (try #require(shooter.avatar(bout.fields)), try #require(target.avatar(bout.fields)))
    clearGround(bout)
    bout.room[one, bout.fields.position] = SIMD2(-40, 0)
    bout.room[other, bout.fields.position] = SIMD2(-40 + metres, 0)
    bout.step()
    return (bout, shooter, target, other)
  }

  private func clearGround(_ bout: Bout) {
    for pickup in bout.room.entities(bout.fields.pickup) { bout.room.remove(pickup) }
  }

  private var cooldownTicks: Int { 15 }

  @Test func aHitTakesHealthAndIsWhispered() throws {
    let (bout, shooter, target, avatar) = try duel(metres: 10)
    try shooter.fire(SIMD2(1, 0))
    bout.step()
    #expect(target.value(bout.fields.health, of: avatar) == ArenaRules.health - ArenaRules.damage)
    #expect(target.hits == [HitBy(shooter: shooter.player)])
    #expect(shooter.hits.isEmpty)
    #expect(target.shots == [shooter.player])
  }

  @Test(arguments: [(10.0, SIMD2(1.0, 0.2)), (10.0, SIMD2(-1.0, 0)), (26.0, SIMD2(1.0, 0))])
  func aShotBesideOrTooFarMisses(metres: Double, direction: SIMD2<Double>) throws {
    let (bout, shooter, target, avatar) = try duel(metres: metres)
    try shooter.fire(direction)
    bout.step()
    #expect(target.value(bout.fields.health, of: avatar) == ArenaRules.health)
    #expect(target.hits.isEmpty)
    // It was fired all the same.
    #expect(target.shots == [shooter.player])
  }

  @Test func theWeaponMustRest() throws {
    let (bout, shooter, target, avatar) = try duel(metres: 10)
    for _ in 0..<cooldownTicks {
      try shooter.fire(SIMD2(1, 0))
      bout.step()
    }
    #expect(target.shots.count == 1)
    #expect(target.value(bout.fields.health, of: avatar) == ArenaRules.health - ArenaRules.damage)
    try shooter.fire(SIMD2(1, 0))
    bout.step()
    #expect(target.shots.count == 2)
  }

  @Test func theNearestInTheWayIsHit() throws {
    let (bout, shooter, target, avatar) = try duel(metres: 10)
    let behind = try bout.join()
    let other = try #require(behind.avatar(bout.fields))
    bout.room[other, bout.fields.position] = SIMD2(-25, 0)
    try shooter.fire(SIMD2(1, 0))
    bout.step()
    #expect(target.value(bout.fields.health, of: avatar) == ArenaRules.health - ArenaRules.damage)
    #expect(behind.value(bout.fields.health, of: other) == ArenaRules.health)
  }

  @Test func aFragIsToldToEverybodyOnce() throws {
    let (bout, shooter, target, avatar) = try duel(metres: 10)
    let witness = try bout.join()
    bout.room[try #require(witness.avatar(bout.fields)), bout.fields.position] = SIMD2(40, 40)
    for _ in 0..<ArenaRules.health / ArenaRules.damage {
      try shooter.fire(SIMD2(1, 0))
      bout.step(cooldownTicks)
    }
    let frag = Fragged(victim: target.player, killer: shooter.player)
    for player in bout.players { #expect(player.frags == [frag]) }
    let own = try #require(shooter.avatar(bout.fields))
    #expect(witness.value(bout.fields.frags, of: own) == 1)
    #expect(witness.value(bout.fields.score, of: own) == ArenaRules.fragScore)
    // The victim begins anew, somewhere else.
    #expect(witness.value(bout.fields.health, of: avatar) == ArenaRules.health)
    #expect(witness.value(bout.fields.position, of: avatar) != SIMD2(-30, 0))
  }

  @Test func junkIsDropped() throws {
    let (bout, shooter, target, _) = try duel(metres: 10)
    let junk: [[UInt8]] = [[], [0x7E], [0x7E, 0, 0], [0, 0], [0x80, 0, 0]]
    for payload in junk {
      try shooter.core.raise(Shot.code, to: .all, reliably: true, payload: payload.span)
      try shooter.core.raise(99, to: .all, reliably: true, payload: payload.span)
    }
    // A client can't tell of a frag that was none.
    let lie = Fragged(victim: target.player, killer: shooter.player).bytes
    try shooter.core.raise(Fragged.code, to: .all, reliably: true, payload: lie.span)
    bout.step()
    #expect(target.shots.isEmpty && target.frags.isEmpty)
    #expect(shooter.evicted == nil)
  }
}
