import ArenaShared
import ClientCore
import RoomEngine
import Testing
import WireFormat

@Suite struct WalkingTests {
  @Test func walksWhereItWantsAtTheAllowedSpeed() throws {
    let bout = try Bout()
    let player = try bout.join()
    let avatar = try #require(player.avatar(bout.fields))
    let start = player.value(bout.fields.position, of: avatar)
    let way = start.x < 0 ? SIMD2(0.2, 0) : SIMD2(-0.2, 0)
    for number in 1...30 {
      try player.propose(start + way * Double(number), bout.fields)
      bout.step()
    }
    // 6 m in a second is allowed: it is exactly where it asked to be.
    let end = player.value(bout.fields.position, of: avatar)
    #expect(length(end - (start + way * 30)) < 0.01)
  }

  @Test func aTeleportGoesOnlyAsFarAsLegsCarry() throws {
    let bout = try Bout()
    let player = try bout.join()
    let avatar = try #require(player.avatar(bout.fields))
    bout.step(300)
    var last = player.value(bout.fields.position, of: avatar)
    let corner = SIMD2(last.x < 0 ? 50.0 : -50, last.y < 0 ? 50.0 : -50)
    try player.propose(corner, bout.fields)
    bout.step()
    let here = player.value(bout.fields.position, of: avatar)
    // Ten idle seconds are worth no more than the slack.
    #expect(abs(length(here - last) - ArenaRules.speed * ArenaRules.slackSeconds) < 0.01)
    last = here
    for _ in 0..<30 {
      // Many proposals in a tick do not help.
      for _ in 0..<4 { try player.propose(corner, bout.fields) }
      bout.step()
    }
    let second = player.value(bout.fields.position, of: avatar)
    #expect(abs(length(second - last) - ArenaRules.speed) < 0.05)
    #expect(player.evicted == nil)
  }

  @Test func whatIsOutsideTheArenaEndsTheConnection() throws {
    let bout = try Bout()
    let player = try bout.join()
    let avatar = try #require(player.avatar(bout.fields))
    // The client's own codec would clamp: 60 m as quantised by hand.
    let input: [UInt8] = [1, 1, 0, UInt8(avatar.id), 1, 0xE0, 0x5D, 0]
    try bout.room.receive(.input, input.span, from: player.delivery, now: bout.room.due(bout.room.tick.rawValue))
    bout.step()
    #expect(player.evicted == .invalidInput)
  }

  @Test func aClientCanNotHealItself() throws {
    let bout = try Bout()
    let player = try bout.join()
    let avatar = try #require(player.avatar(bout.fields))
    try player.core.set(bout.fields.health, of: avatar, to: 127)
    try player.core.set(bout.fields.score, of: avatar, to: 1000)
    try player.core.set(bout.fields.yaw, of: avatar, to: 90)
    try player.core.flushInput()
    bout.step()
    #expect(player.value(bout.fields.health, of: avatar) == ArenaRules.health)
    #expect(player.value(bout.fields.score, of: avatar) == 0)
    #expect(player.value(bout.fields.yaw, of: avatar) == 90)
  }

  @Test func nobodyMovesAnothersAvatar() throws {
    let bout = try Bout()
    let thief = try bout.join()
    let victim = try bout.join()
    let avatar = try #require(victim.avatar(bout.fields))
    let before = victim.value(bout.fields.position, of: avatar)
    let input: [UInt8] = [1, 1, 0, UInt8(avatar.id), 1, 0, 0]
    try bout.room.receive(.input, input.span, from: thief.delivery, now: bout.room.due(bout.room.tick.rawValue))
    bout.step(2)
    #expect(victim.value(bout.fields.position, of: avatar) == before)
    #expect(thief.evicted == nil)
  }
}

func length(_ way: SIMD2<Double>) -> Double { (way * way).sum().squareRoot() }
