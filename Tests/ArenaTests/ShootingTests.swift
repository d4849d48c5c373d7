import ArenaShared
import RoomEngine
import RoomTestKit
import Testing
import WireFormat

@Suite struct ShootingTests {
  /// A bout in which the second player stands so many metres to the right of the first.
  private func duel(metres: Double) throws -> (bout: Bout, shooter: SimulatedClient, target: SimulatedClient) {
    let bout = try Bout()
    return (bout, try bout.join(at: SIMD2(-20, 0)), try bout.join(at: SIMD2(-20 + metres, 0)))
  }

  private func fire(_ shooter: SimulatedClient, _ direction: SIMD2<Double> = SIMD2(1, 0)) {
    shooter.raise(Shot(direction: direction), to: .others, reliably: false)
  }

  private let oneHit = ArenaRules.health - ArenaRules.damage

  @Test func aHitTakesHealthAndIsWhispered() throws {
    let (bout, shooter, target) = try duel(metres: 10)
    fire(shooter)
    bout.sim.advance(ticks: 1)
    #expect(try bout.health(of: target) == oneHit)
    #expect(target.whispers() == [HitBy(shooter: try #require(shooter.player))])
    #expect(shooter.whispers.isEmpty)
    #expect(target.events.map(\.sender) == [shooter.player])
  }

  @Test(arguments: [(10.0, SIMD2(1.0, 0.2)), (10.0, SIMD2(-1.0, 0)), (25.5, SIMD2(1.0, 0))])
  func aShotBesideOrTooFarMisses(metres: Double, direction: SIMD2<Double>) throws {
    let (bout, shooter, target) = try duel(metres: metres)
    fire(shooter, direction)
    bout.sim.advance(ticks: 1)
    #expect(try bout.health(of: target) == ArenaRules.health)
    #expect(target.whispers.isEmpty)
    // It was fired all the same.
    #expect(target.events(as: Shot.self).count == 1)
  }

  @Test func theWeaponMustRest() throws {
    let (bout, shooter, target) = try duel(metres: 10)
    for _ in 1...15 {
      fire(shooter)
      bout.sim.advance(ticks: 1)
    }
    #expect(target.events(as: Shot.self).count == 1)
    #expect(try bout.health(of: target) == oneHit)
    fire(shooter)
    bout.sim.advance(ticks: 1)
    #expect(target.events(as: Shot.self).count == 2)
  }

  @Test func theNearestInTheWayIsHit() throws {
    let (bout, shooter, target) = try duel(metres: 10)
    let behind = try bout.join(at: SIMD2(-5, 0))
    fire(shooter)
    bout.sim.advance(ticks: 1)
    #expect(try bout.health(of: target) == oneHit)
    #expect(try bout.health(of: behind) == ArenaRules.health)
  }

  @Test func aFragIsToldToEverybodyOnce() throws {
    let (bout, shooter, target) = try duel(metres: 10)
    let witness = try bout.join(at: SIMD2(40, 40))
    let latecomer = try bout.join(at: SIMD2(-40, 40))
    // It has played for as long as it is away. Its connection breaks before the frag; it comes back on the same seat when the frames of the frag are kept no
    // longer.
    bout.sim.advance(by: .seconds(10))
    latecomer.connection?.cut()
    for _ in 0..<ArenaRules.health / ArenaRules.damage {
      fire(shooter)
      bout.sim.advance(by: ArenaRules.cooldown)
    }
    for number in 1...bout.room.kind.limits.frameLogFrames {
      try bout.propose(SIMD2(40, 40 + Double(number % 2) / 10), by: witness)
      bout.sim.advance(ticks: 1)
    }
    latecomer.connect()
    bout.sim.advance(ticks: 2)

    let frag = Fragged(victim: try #require(target.player), killer: try #require(shooter.player))
    for client in [shooter, target, witness, latecomer] { #expect(client.events() == [frag]) }
    #expect(witness.get(bout.fields.frags, of: try bout.avatar(of: shooter)) == 1)
    #expect(try bout.score(of: shooter) == ArenaRules.fragScore)
    // The victim begins anew, somewhere else.
    #expect(try bout.health(of: target) == ArenaRules.health)
    #expect(try bout.position(of: target) != SIMD2(-10, 0))
    #expect(bout.sim.faults.isEmpty)
  }

  @Test func emotesArePassedOnAsTheyAre() throws {
    let (bout, shooter, target) = try duel(metres: 10)
    shooter.raise(ArenaRules.firstEmoteCode, [1, 2, 3], to: .others)
    bout.sim.advance(ticks: 1)
    #expect(target.events.map(\.code) == [ArenaRules.firstEmoteCode])
    #expect(target.events.map(\.payload) == [[1, 2, 3]])
  }

  @Test func junkIsDropped() throws {
    let (bout, shooter, target) = try duel(metres: 10)
    for payload: [UInt8] in [[], [0x7E], [0x7E, 0, 0], [0, 0], [0x80, 0, 0]] {
      shooter.raise(Shot.code, payload)
      shooter.raise(99, payload)
    }
    // A client can't tell of a frag that was none.
    shooter.raise(Fragged(victim: try #require(target.player), killer: try #require(shooter.player)))
    bout.sim.advance(ticks: 1)
    #expect(target.events.isEmpty)
    #expect(shooter.isInRoom)
  }
}
