import RoomEngine
import RoomTestKit
import Testing
import WireFormat

@Suite struct RoomEndTests {
  @Test func closingTellsEveryoneAndHoldsNothing() throws {
    let stage = try Stage()
    let clients = stage.join(3)
    clients[1].connection?.stall()
    stage.game.onTick = { room in room.raise(20) }
    stage.room.advance(ticks: 3)
    clients[2].connection?.cut()
    stage.room.advance(ticks: 1)
    let waiting = stage.join()
    let roomless = stage.connect()
    stage.room.close()
    #expect(clients[0].goodbye?.reason == .roomClosed)
    #expect(!clients[1].isConnected && clients[1].connection?.end?.reason == .roomClosed)
    #expect(waiting.goodbye?.reason == .roomClosed, "it asked for a seat and must not wait forever")
    #expect(roomless.isConnected)
    #expect(stage.room.heldBuffers == 0)
    #expect(stage.room.room.playerCount == 0)
    #expect(stage.game.log.suffix(3) == ["left 0", "left 1", "left 2"])
    stage.room.close()
    stage.finish()
  }

  /// 388 days at 128 Hz.
  @Test func aRoomEndsBeforeItsTicksDo() throws {
    let stage = try Stage()
    _ = stage.join(1)
    let room = stage.room.room
    let now = Instant(nanoseconds: 1 << 60)
    room.run(Tick(Room.lastTick.rawValue - 1), now: now)
    #expect(room.ending == nil)
    room.run(Room.lastTick, now: now)
    #expect(room.ending?.contains("join anew") == true)
    // Whatever the shell does then: no trap, and no way back.
    room.run(Tick(.max), now: now)
    #expect(!room.run(Tick(0), now: now))
    #expect(room.tick == Tick(.max))
    #expect(room.tick(after: .seconds(60)) == Tick(.max))
  }

  @Test func aRoomThatStoodStillOverTheEndEndsAsWell() throws {
    let stage = try Stage()
    _ = stage.join(1)
    stage.room.room.run(Tick(.max), now: Instant(nanoseconds: 1 << 60))
    #expect(stage.room.room.ending != nil)
  }

  @Test func aRoomWithoutSeatsLingersAndGoes() throws {
    let stage = try Stage()
    let ann = stage.join(1)[0]
    ann.leave()
    stage.room.advance(by: .seconds(9))
    #expect(!stage.room.room.isClosed)
    ann.join()
    stage.room.advance(ticks: 1)
    ann.leave()
    stage.room.advance(by: .milliseconds(10_100))
    #expect(stage.room.room.isClosed)
    #expect(stage.room.heldBuffers == 0)
    stage.finish()
  }

  @Test func aRoomWhosePlayersAreAwayStaysForTheirGrace() throws {
    let stage = try Stage()
    let ann = stage.join(1)[0]
    stage.room.advance(by: .seconds(20))
    ann.connection?.cut()
    stage.room.advance(by: .seconds(29))
    #expect(!stage.room.room.isClosed)
    stage.room.advance(by: .seconds(2))
    #expect(stage.room.room.isClosed)
    stage.finish()
  }

  @Test func aKickedPlayerMayKickNobodyAndIsTakenOffTheRoom() throws {
    let stage = try Stage()
    let both = stage.join(2)
    both[0].raise(20, [1])
    stage.game.onEvent = { _, player, room in
      room.kick(player, "no talking")
      return true
    }
    stage.room.advance(ticks: 1)
    #expect(both[0].goodbye?.text == "no talking")
    #expect(both[1].players == [PlayerID(rawValue: 1)])
    #expect(stage.room.room.attached.count == 1)
    stage.finish()
  }
}
