import RoomEngine
import RoomTestKit
import Testing
import WireFormat

@Suite("What a game stores never ends a client") struct GameFaultTests {
  /// Ends a stage whose game was at fault.
  private func finish(_ stage: Stage, expecting texts: [String]) {
    stage.room.finish()
    #expect(stage.room.faults == texts)
  }

  @Test("a reference to an entity that cannot exist is none, and is told with the call that stored it")
  func references() throws {
    let stage = try Stage()
    let keys = stage.keys
    stage.game.onOpened = nil
    let ann = stage.join()
    stage.room.advance(ticks: 1)
    let crate = try #require(stage.room.room.create(TestSchema.crate))
    stage.room.room.set(keys.holder, of: crate, to: try stage.avatar(of: ann))
    stage.room.advance(ticks: 1)
    stage.game.onEvent = { event, _, room in
      var payload = PayloadReader(event.payload)
      room.set(keys.holder, of: crate, to: try? payload.entity())
      return true
    }
    var hostile = PayloadWriter()
    hostile.put(EntityID(kind: KindIndex(31), id: 65535))
    ann.raise(20, hostile.bytes)
    stage.room.advance(ticks: 2)
    #expect(ann.isInRoom)
    #expect(ann.get(keys.holder, of: crate) == .some(nil))
    let newcomer = stage.join()
    stage.room.advance(ticks: 1)
    #expect(newcomer.isInRoom && newcomer.stateHash == ann.stateHash)
    #expect(stage.room.room.counters.gameFaults == [.stored(.reference): 1])
    finish(
      stage,
      expecting: [
        "the game gave crate.holder a reference to an entity that cannot exist in the schema: it got none (in event)"
      ])
  }

  @Test("nothing is made for a player who has left")
  func owners() throws {
    let stage = try Stage()
    let (ann, bob) = (stage.join(), stage.join())
    stage.room.advance(ticks: 1)
    let gone = try #require(ann.player)
    var made: EntityID??
    stage.game.onLeft = { player, room in
      // Still its player's: it goes with all else.
      _ = room.create(TestSchema.avatar, owner: player)
    }
    ann.leave()
    stage.room.advance(ticks: 1)
    stage.game.onTick = { room in made = room.create(TestSchema.avatar, owner: gone) }
    stage.room.advance(ticks: 1)
    #expect(made == .some(nil))
    stage.game.onTick = nil
    stage.room.advance(ticks: 1)
    #expect(bob.entities(TestSchema.avatar).count == 1)
    finish(stage, expecting: ["the game gave avatar an owner who has no seat: the entity was not made (in tick)"])
  }

  @Test("a game that is wrong in everything it does is told a few times a tick, and counted")
  func bounded() throws {
    let stage = try Stage()
    let keys = stage.keys
    let ann = stage.join()
    stage.room.advance(ticks: 1)
    let crate = try #require(stage.room.room.create(TestSchema.crate))
    stage.game.onTick = { room in
      for _ in 0..<100 { room.set(keys.holder, of: crate, to: EntityID(kind: KindIndex(9), id: 0)) }
    }
    stage.room.advance(ticks: 2)
    #expect(ann.isInRoom)
    #expect(stage.room.room.counters.gameFaults == [.stored(.reference): 200])
    #expect(stage.room.faults.count == 8)
  }
}
