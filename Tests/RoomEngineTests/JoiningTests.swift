import ClientCore
import RoomEngine
import RoomTestKit
import Testing
import WireFormat

@Suite struct JoiningTests {
  @Test func aPlayerGetsJoinedKeyframeAndThenEveryFrame() throws {
    let stage = try Stage()
    let ann = stage.join()
    #expect(ann.player == nil)
    stage.room.advance(ticks: 1)
    #expect(ann.isInRoom)
    #expect(ann.players == [PlayerID(rawValue: 0)])
    #expect(ann.keyframes == 1)
    let avatar = try stage.avatar(of: ann)
    stage.game.onTick = { [keys = stage.keys] in
      $0.set(keys.position, of: avatar, to: SIMD2(Double($0.tick.rawValue), 0))
    }
    for _ in 0..<30 {
      stage.room.advance(ticks: 1)
      #expect(ann.tick == stage.room.lastFrame)
      #expect(ann.stateHash == stage.room.stateHash)
    }
    #expect(ann.get(stage.keys.position, of: avatar) == SIMD2(31, 0))
    #expect(ann.keyframes == 1)
    #expect(ann.framesApplied == 31)
    stage.finish()
  }

  @Test func theEleventhOfTenIsRefusedUntilOneLeaves() throws {
    let stage = try Stage(capacity: 10)
    let inside = stage.join(10)
    let late = stage.join()
    stage.room.advance(ticks: 1)
    #expect(late.refusal?.reason == .roomFull)
    #expect(stage.room.room.playerCount == 10)
    inside[3].leave()
    stage.room.advance(ticks: 1)
    late.join()
    stage.room.advance(ticks: 1)
    #expect(late.isInRoom)
    #expect(late.player == PlayerID(rawValue: 10), "player 3's id must rest")
    stage.finish()
  }

  @Test func aLockedRoomRefusesNewcomersButNotThoseWhoComeBack() throws {
    let stage = try Stage()
    let ann = stage.join(1)[0]
    stage.room.room.lock()
    let bob = stage.join()
    ann.connection?.cut()
    stage.room.advance(ticks: 1)
    #expect(bob.refusal?.reason == .roomLocked)
    ann.connect()
    #expect(ann.isInRoom)
    stage.room.room.unlock()
    bob.join()
    stage.room.advance(ticks: 1)
    #expect(bob.isInRoom)
    stage.finish()
  }

  @Test func aStrictClientWithAnotherSchemaIsRefusedAndALenientOneGetsTheRooms() throws {
    let stage = try Stage()
    let client = stage.connect(schema: try TestSchema.make(avatars: 3))
    client.join(strict: true)
    stage.room.advance(ticks: 1)
    #expect(client.refusal?.reason == .schemaMismatch)
    client.join()
    stage.room.advance(ticks: 1)
    #expect(client.isInRoom)
    #expect(client.core.seat?.schema == stage.keys.schema)
    stage.finish()
  }

  @Test func theGameMayRefuse() throws {
    let stage = try Stage()
    stage.game.onAdmit = { options, _ in options == [1] ? .reject("not you") : .admit }
    let ann = stage.join(options: [1])
    let bob = stage.join(options: [2])
    stage.room.advance(ticks: 1)
    #expect(ann.refusal?.reason == .rejected)
    #expect(ann.refusal?.text == "not you")
    #expect(bob.isInRoom)
    #expect(ann.isConnected)
    stage.finish()
  }

  @Test func admissionsOfATickAreBoundedAndTheRestComesNext() throws {
    var limits = RoomLimits()
    limits.admissionsPerTick = 3
    let stage = try Stage(capacity: 8, limits)
    let clients = (0..<8).map { _ in stage.join() }
    let seated = [3, 6, 8].map { expected in
      stage.room.advance(ticks: 1)
      return (stage.room.room.playerCount, expected)
    }
    #expect(seated.allSatisfy { $0.0 == $0.1 })
    #expect(clients.map(\.player?.rawValue) == [0, 1, 2, 3, 4, 5, 6, 7])
    stage.finish()
  }

  @Test func whoIsGoneBeforeItsSeatTakesNobodysPlaceInTheQueue() throws {
    var limits = RoomLimits()
    limits.admissionsPerTick = 2
    let stage = try Stage(limits)
    for _ in 0..<4 { stage.join().connection?.cut() }
    let clients = (0..<2).map { _ in stage.join() }
    stage.room.advance(ticks: 1)
    #expect(clients.map(\.isInRoom) == [true, true])
    stage.finish()
  }

  @Test func messagesBehindAJoinWaitForTheSeat() throws {
    var limits = RoomLimits()
    limits.admissionsPerTick = 1
    let stage = try Stage(limits)
    let first = stage.join()
    let second = stage.join()
    second.raise(20, [1])
    second.raise(20, [2])
    stage.room.advance(ticks: 1)
    #expect(first.events.isEmpty)
    stage.room.advance(ticks: 1)
    #expect(first.events.map(\.payload) == [[1], [2]])
    stage.finish()
  }

  @Test func messagesBehindARefusedJoinAreDropped() throws {
    let stage = try Stage()
    stage.game.onAdmit = { options, _ in options == [1] ? .reject("no") : .admit }
    let ann = stage.join(1)[0]
    let bob = stage.join(options: [1])
    bob.raise(20, [1])
    stage.room.advance(ticks: 2)
    #expect(ann.events.isEmpty)
    #expect(bob.isConnected)
    stage.finish()
  }

  @Test func aLeaveBehindAJoinIsAnsweredAfterJoined() throws {
    let stage = try Stage()
    let ann = stage.join(1)[0]
    let bob = stage.join()
    bob.send(raw: [1, MessageType.leave.rawValue])
    stage.room.advance(ticks: 1)
    #expect(bob.joins == 1)
    bob.leave()
    stage.room.advance(ticks: 1)
    #expect(bob.isConnected && !bob.isInRoom)
    #expect(ann.players == [PlayerID(rawValue: 0)])
    stage.finish()
  }

  @Test func leavingRemovesThePlayersEntitiesAndRejoiningGivesANewID() throws {
    let stage = try Stage()
    let both = stage.join(2)
    let (ann, bob) = (both[0], both[1])
    #expect(ann.entities(TestSchema.avatar).count == 2)
    bob.leave()
    stage.room.advance(ticks: 1)
    #expect(!bob.isInRoom && bob.isConnected)
    #expect(ann.entities(TestSchema.avatar) == [try stage.avatar(of: ann)])
    #expect(ann.players == [PlayerID(rawValue: 0)])
    bob.join()
    stage.room.advance(ticks: 1)
    #expect(bob.player == PlayerID(rawValue: 2))
    #expect(try stage.avatar(of: bob).id == 2)
    #expect(stage.game.log == ["joined 0", "joined 1", "left 1", "joined 2"])
    stage.finish()
  }

  @Test func leavingAndClosingAtOnceGivesTheSeatUp() throws {
    let stage = try Stage()
    let both = stage.join(2)
    both[1].leave()
    both[1].disconnect()
    stage.room.advance(ticks: 1)
    #expect(stage.room.room.playerCount == 1)
    #expect(both[0].players == [PlayerID(rawValue: 0)])
    stage.finish()
  }

  @Test func idsRestWhileThereAreOthersAndComeBackWithANewGeneration() throws {
    var limits = RoomLimits()
    limits.frameLogFrames = 8
    let stage = try Stage(capacity: 1, avatars: 2, limits)
    let ann = stage.join(1)[0]
    let first = try stage.avatar(of: ann)
    let generation = stage.room.room.generation(of: PlayerID(rawValue: 0))
    stage.room.room.remove(first)
    let second = try #require(stage.room.room.create(TestSchema.avatar))
    #expect(second != first)
    // Within one frame: there is no other, and its holder is another one.
    #expect(stage.room.room.create(TestSchema.avatar) == first)
    stage.room.advance(ticks: 1)
    #expect(ann.core.tables[0].generations[Int(first.id)] == 2)
    #expect(ann.owner(of: first) == nil)
    stage.room.room.remove(second)
    stage.room.room.remove(first)
    stage.room.advance(ticks: 9)
    #expect(stage.room.room.create(TestSchema.avatar) == second, "the one that has rested longest")
    ann.leave()
    stage.room.advance(ticks: 1)
    ann.join()
    stage.room.advance(ticks: 1)
    #expect(ann.player == PlayerID(rawValue: 1))
    #expect(stage.room.room.generation(of: PlayerID(rawValue: 1)) == (generation ?? 0) + 1)
    stage.finish()
  }

  @Test func joinsAndLeavesAreToldToTheOthersOnly() throws {
    let stage = try Stage()
    let ann = stage.join(1)[0]
    let bob = stage.join(1)[0]
    #expect(ann.players.map(\.rawValue) == [0, 1])
    #expect(bob.players.map(\.rawValue) == [0, 1])
    stage.room.advance(by: .seconds(20))
    bob.connection?.cut()
    stage.room.advance(by: .seconds(19))
    #expect(ann.players.map(\.rawValue) == [0, 1])
    stage.room.advance(by: .seconds(2))
    #expect(ann.players.map(\.rawValue) == [0])
    stage.finish()
  }

  @Test func everybodyMayComeAndBeKickedInOneTick() throws {
    let stage = try Stage(capacity: 1)
    stage.game.onJoined = { player, room in room.kick(player, "not now") }
    let clients = (0..<2).map { _ in stage.join() }
    stage.room.advance(ticks: 1)
    #expect(clients.allSatisfy { $0.goodbye?.reason == .kicked })
    #expect(stage.room.room.playerCount == 0)
    stage.finish()
  }

  /// What it had sent behind its Join waits for no seat any more, and does not count on a later one.
  @Test func whatARefusedClientHadSaidIsDropped() throws {
    let stage = try Stage()
    stage.game.onAdmit = { _, _ in .reject("not now") }
    var heard = 0
    stage.game.onEvent = { _, _, _ in
      heard += 1
      return true
    }
    let ann = stage.connect()
    ann.join()
    let payload: [UInt8] = [1]
    ann.send(
      raw: encodedBytes(bound: 32) { out in
        ClientEvent.encode(isReliable: true, target: .all, code: 20, payload: payload.span, into: &out)
      })
    stage.room.advance(ticks: 1)
    #expect(ann.refusal?.reason == .rejected)
    stage.game.onAdmit = nil
    ann.join()
    stage.room.advance(ticks: 3)
    #expect(ann.isInRoom)
    #expect(heard == 0)
    stage.finish()
  }
}
