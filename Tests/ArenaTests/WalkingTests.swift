import ArenaShared
import RoomEngine
import RoomTestKit
import Testing
import WireFormat

@Suite struct WalkingTests {
  @Test func walksWhereItWantsAtTheAllowedSpeed() throws {
    let bout = try Bout()
    let player = try bout.join()
    for number in 1...30 {
      // 6 m in a second, of 8 allowed.
      try bout.propose(SIMD2(0.2 * Double(number), 0), by: player)
      bout.sim.advance(ticks: 1)
    }
    #expect(length(try bout.position(of: player) - SIMD2(6, 0)) < 0.001)
  }

  @Test func aTeleportGoesOnlyAsFarAsLegsCarry() throws {
    let bout = try Bout()
    let player = try bout.join()
    bout.sim.advance(by: .seconds(10))
    try bout.propose(SIMD2(40, 30), by: player)
    bout.sim.advance(ticks: 1)
    let first = try bout.position(of: player)
    // Ten idle seconds are worth no more than the slack.
    #expect(abs(length(first) - ArenaRules.speed * ArenaRules.slackSeconds) < 0.01)

    for _ in 1...30 {
      // Several proposals in a tick do not help.
      for _ in 1...3 { try bout.propose(SIMD2(40, 30), by: player) }
      bout.sim.advance(ticks: 1)
    }
    #expect(abs(length(try bout.position(of: player) - first) - ArenaRules.speed) < 0.05)
    #expect(player.isInRoom)
  }

  @Test func whatIsOutsideTheArenaEndsTheConnection() throws {
    let bout = try Bout()
    let player = try bout.join()
    let id = UInt8(try bout.avatar(of: player).id)
    // Input 1 with one entry: kind 0, the avatar, field 0 as 6000 and 0 steps of 1 cm. A client core would not write
    // it.
    player.send(raw: [9, 0x03, 1, 1, 0, id, 1, 0xE0, 0x5D, 0])
    bout.sim.advance(ticks: 1)
    #expect(player.goodbye?.reason == .invalidInput)
  }

  @Test func aClientDoesNotHealItself() throws {
    let bout = try Bout()
    let player = try bout.join()
    let avatar = try bout.avatar(of: player)
    try player.set(bout.fields.health, of: avatar, to: 127)
    try player.set(bout.fields.score, of: avatar, to: 1000)
    try player.set(bout.fields.yaw, of: avatar, to: 90)
    bout.sim.advance(ticks: 1)
    #expect(try bout.health(of: player) == ArenaRules.health)
    #expect(try bout.score(of: player) == 0)
    #expect(player.get(bout.fields.yaw, of: avatar) == 90)
  }

  @Test func nobodyMovesAnothersAvatar() throws {
    let bout = try Bout()
    let (thief, victim) = (try bout.join(), try bout.join(at: SIMD2(3, 4)))
    let id = UInt8(try bout.avatar(of: victim).id)
    thief.send(raw: [8, 0x03, 1, 1, 0, id, 1, 0, 0])
    bout.sim.advance(ticks: 1)
    #expect(try bout.position(of: victim) == SIMD2(3, 4))
    #expect(thief.goodbye == nil)
  }

  @Test func theAvatarGoesWithItsPlayer() throws {
    let bout = try Bout()
    let (leaver, loser, stayer) = (try bout.join(), try bout.join(), try bout.join())
    #expect(stayer.entities(bout.fields.avatar).count == 3)
    leaver.leave()
    bout.sim.advance(ticks: 1)
    #expect(stayer.entities(bout.fields.avatar).count == 2)
    loser.connection?.cut()
    bout.sim.advance(by: .seconds(25))
    #expect(stayer.entities(bout.fields.avatar) == [try bout.avatar(of: stayer)])
    #expect(bout.sim.faults.isEmpty)
  }
}
