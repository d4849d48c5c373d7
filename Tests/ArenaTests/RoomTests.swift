import ArenaBots
import ArenaShared
import ClientCore
import RoomEngine
import Testing
import WireFormat

@Suite struct PickupTests {
  @Test(arguments: [true, false])
  func isTakenOnceAndComesBack(heals: Bool) throws {
    let bout = try Bout()
    let (one, other) = (try bout.join(), try bout.join())
    let avatars = [try #require(one.avatar(bout.fields)), try #require(other.avatar(bout.fields))]
    let pickups = bout.room.entities(bout.fields.pickup)
    for pickup in pickups.dropFirst() { bout.room.remove(pickup) }
    bout.room[pickups[0], bout.fields.place] = SIMD2(0, 0)
    bout.room[pickups[0], bout.fields.heals] = heals
    for avatar in avatars {
      bout.room[avatar, bout.fields.position] = SIMD2(0.5, 0)
      bout.room[avatar, bout.fields.health] = 50
    }
    bout.step()
    #expect(one.entities(bout.fields.pickup).isEmpty)
    let healths = avatars.map { other.value(bout.fields.health, of: $0) }
    let scores = avatars.map { other.value(bout.fields.score, of: $0) }
    #expect(healths.sorted() == (heals ? [50, 50 + ArenaRules.healing] : [50, 50]))
    #expect(scores.sorted() == (heals ? [0, 0] : [0, 1]))
    bout.step(bout.room.kind.tickRate * 5)
    #expect(one.entities(bout.fields.pickup).count == 1)
  }

  @Test func healingEndsAtFullHealth() throws {
    let bout = try Bout()
    let player = try bout.join()
    let avatar = try #require(player.avatar(bout.fields))
    let pickup = bout.room.entities(bout.fields.pickup)[0]
    bout.room[pickup, bout.fields.heals] = true
    bout.room[avatar, bout.fields.health] = 90
    bout.room[avatar, bout.fields.position] = bout.room[pickup, bout.fields.place]
    bout.step()
    #expect(player.value(bout.fields.health, of: avatar) == ArenaRules.health)
  }
}

@Suite struct CallTests {
  @Test(arguments: ["Ada", "Łukasz_9", "x-1"])
  func takesAName(name: String) throws {
    let bout = try Bout()
    let (player, other) = (try bout.join(), try bout.join())
    try player.call(.setName, Array(name.utf8))
    bout.step()
    #expect(player.replies.map(\.status) == [ReplyStatus.ok.rawValue])
    let avatar = try #require(other.avatar(bout.fields, of: player.player))
    #expect(other.value(bout.fields.name, of: avatar) == name)
  }

  @Test(arguments: ["", "a b", "<b>", "a\u{0}", "ABCDEFGHIJKLMNOPQRSTUVWXY"])
  func refusesAName(name: String) throws {
    let bout = try Bout()
    let player = try bout.join()
    let avatar = try #require(player.avatar(bout.fields))
    let before = player.value(bout.fields.name, of: avatar)
    try player.call(.setName, Array(name.utf8))
    bout.step()
    #expect(player.replies.map(\.status) == [ReplyStatus.rejected.rawValue])
    #expect(player.value(bout.fields.name, of: avatar) == before)
  }

  @Test func refusesWhatIsNoTextOrTaken() throws {
    let bout = try Bout()
    let (player, other) = (try bout.join(), try bout.join())
    try player.call(.setName, [0xFF, 0xFE])
    try player.call(.setName, Array("Ada".utf8))
    bout.step()
    try other.call(.setName, Array("Ada".utf8))
    bout.step()
    #expect(player.replies.map(\.status) == [ReplyStatus.payloadInvalid.rawValue, ReplyStatus.ok.rawValue])
    #expect(other.replies.map(\.status) == [ReplyStatus.rejected.rawValue])
  }

  @Test func leaderboardHasTheBestFirst() throws {
    let bout = try Bout()
    for _ in 0..<12 { _ = try bout.join() }
    for pickup in bout.room.entities(bout.fields.pickup) { bout.room.remove(pickup) }
    for (number, player) in bout.players.enumerated() {
      let avatar = try #require(player.avatar(bout.fields))
      bout.room[avatar, bout.fields.score] = number / 2
    }
    try bout.players[0].call(.leaderboard)
    bout.step()
    let reply = try #require(bout.players[0].replies.first)
    let board = try Leaderboard(reply.payload)
    #expect(board.rows.map(\.score) == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1])
    let expected = [10, 11, 8, 9, 6, 7, 4, 5, 2, 3].map { bout.players[$0].player }
    #expect(board.rows.map(\.player) == expected)
  }

  @Test func knowsNoOtherMethod() throws {
    let bout = try Bout()
    let player = try bout.join()
    _ = try player.core.call(77, payload: [UInt8]().span)
    bout.step()
    #expect(player.replies.map(\.status) == [ReplyStatus.unknownMethod.rawValue])
  }
}

@Suite struct MembershipTests {
  @Test func theAvatarGoesWithItsPlayer() throws {
    let bout = try Bout()
    let (leaver, stayer) = (try bout.join(), try bout.join())
    bout.step()
    #expect(stayer.entities(bout.fields.avatar).count == 2)
    try leaver.leave()
    bout.step()
    #expect(stayer.entities(bout.fields.avatar).map { $0 } == [try #require(stayer.avatar(bout.fields))])
    // Shooting where it stood is no trouble.
    try stayer.fire(SIMD2(1, 0))
    bout.step()
    #expect(stayer.evicted == nil)
  }

  @Test func sameInputsMakeTheSameBytes() throws {
    let (one, other) = (try playBots(seed: 7, ticks: 600), try playBots(seed: 7, ticks: 600))
    #expect(one.players[0].received == other.players[0].received)
    #expect(one.players[0].received.count > 1000)
    let third = try playBots(seed: 8, ticks: 600)
    #expect(one.players[0].received != third.players[0].received)
  }

  @Test func botsCollectAndFragAndSeeTheSame() throws {
    let bout = try playBots(seed: 3, ticks: 1800)
    let hashes = bout.players.map(\.core.stateHash)
    #expect(hashes[0] != nil && hashes.allSatisfy { $0 == hashes[0] })
    #expect(bout.players.allSatisfy { $0.faults.isEmpty && $0.evicted == nil })
    #expect(!bout.players[0].frags.isEmpty)
    #expect(bout.players.allSatisfy { $0.frags == bout.players[0].frags })
    let scores = bout.room.entities(bout.fields.avatar).map { bout.room[$0, bout.fields.score] }
    #expect(scores.reduce(0, +) > bout.players[0].frags.count * ArenaRules.fragScore)
  }

  /// Eight bots at 30 Hz.
  private func playBots(seed: UInt64, ticks: Int) throws -> Bout {
    let bout = try Bout(seed: seed)
    for _ in 0..<8 { _ = try bout.join() }
    var bots = bout.players.map { ArenaBot(bout.fields, player: $0.player) }
    for _ in 0..<ticks {
      for index in bots.indices {
        let player = bout.players[index]
        guard let turn = bots[index].turn(player.core.tables, after: .seconds(1) / 30) else { continue }
        try player.core.set(bout.fields.position, of: turn.avatar, to: turn.position)
        try player.core.set(bout.fields.yaw, of: turn.avatar, to: turn.yaw)
        try player.core.flushInput()
        if let shot = turn.shot { try player.fire(shot.direction) }
      }
      bout.step()
    }
    return bout
  }
}
