import RoomEngine
import RoomTestKit
import Testing
import WireFormat

@Suite struct LameDuckTests {
  @Test func theGameIsToldItsDeadlineBeforeTheMessagesOfTheTick() throws {
    let stage = try Stage()
    let ann = stage.join(1)[0]
    stage.game.onEvent = { event, _, _ in
      stage.game.log.append("event \(event.code)")
      return true
    }
    ann.raise(20)
    let before = stage.room.room.tick
    stage.room.prepareToEnd(within: .seconds(40))
    #expect(stage.game.log.last == "joined 0", "it is told within a tick, like everything else")
    stage.room.advance(ticks: 1)
    // 40 s without their last quarter, at 30 Hz.
    #expect(stage.game.log.suffix(2) == ["ending \(before.rawValue + 900)", "event 20"])
    #expect(stage.room.room.deadline == Tick(before.rawValue + 900))
    stage.room.advance(by: .seconds(5))
    #expect(stage.game.log.count { $0.hasPrefix("ending") } == 1)
    stage.finish()
  }

  @Test func aGameThatEndsItsRoomAtOnceTellsEveryoneTheGamesOwnWords() throws {
    let stage = try Stage()
    let both = stage.join(2)
    stage.game.onEnding = { room, _ in
      room.raise(21)
      room.end("the match was called off")
    }
    stage.room.prepareToEnd(within: .seconds(60))
    stage.room.advance(ticks: 1)
    for client in both {
      #expect(client.goodbye?.reason == .roomClosed)
      #expect(client.goodbye?.text == "the match was called off")
      #expect(client.events.last?.code == 21, "its last frame was not sent")
    }
    stage.finish()
  }

  @Test func aMatchGoesOnAndItsEndIsItsOwn() throws {
    let stage = try Stage()
    let ann = stage.join(1)[0]
    stage.room.prepareToEnd(within: .seconds(60))
    stage.room.advance(by: .seconds(40))
    #expect(ann.isConnected)
    let avatar = try stage.avatar(of: ann)
    try ann.set(stage.keys.yaw, of: avatar, to: 90)
    stage.room.advance(ticks: 1)
    #expect(ann.get(stage.keys.yaw, of: avatar) == 90)
    stage.game.onTick = { $0.end("ann has won") }
    stage.room.advance(ticks: 1)
    #expect(ann.goodbye?.text == "ann has won")
    stage.finish()
  }

  @Test func aRoomThatIsNotDoneIsClosedAsDraining() throws {
    let stage = try Stage()
    let ann = stage.join(1)[0]
    stage.room.prepareToEnd(within: .seconds(60))
    stage.room.advance(by: .milliseconds(59_900))
    #expect(ann.isConnected)
    stage.room.advance(by: .milliseconds(200))
    #expect(ann.goodbye?.reason == .draining)
    #expect(stage.room.room.isClosed)
    stage.finish()
  }

  @Test func aNearerDeadlineIsToldAndAFurtherOneIsNot() throws {
    let stage = try Stage()
    _ = stage.join(1)
    let start = stage.room.room.tick.rawValue
    stage.room.prepareToEnd(within: .seconds(400))
    stage.room.advance(ticks: 1)
    stage.room.prepareToEnd(within: .seconds(800))
    stage.room.advance(ticks: 1)
    stage.room.prepareToEnd(within: .seconds(40))
    stage.room.advance(ticks: 1)
    let told = stage.game.log.filter { $0.hasPrefix("ending") }
    #expect(told == ["ending \(start + 390 * 30)", "ending \(start + 2 + 900)"])
    stage.finish()
  }

  @Test func newPlayersAreRefusedUnlessTheGameNeedsThem() throws {
    let stage = try Stage()
    _ = stage.join(1)
    let onTheWay = stage.join()
    stage.room.prepareToEnd(within: .seconds(60))
    let late = stage.join()
    stage.room.advance(ticks: 1)
    for client in [onTheWay, late] {
      #expect(client.refusal?.reason == .draining)
      #expect(client.isConnected)
    }
    #expect(stage.room.room.playerCount == 1)
    stage.room.room.acceptsPlayersWhileEnding = true
    late.join()
    stage.room.advance(ticks: 1)
    #expect(stage.room.room.playerCount == 2)
    // It may fill up again.
    stage.room.room.acceptsPlayersWhileEnding = false
    onTheWay.join()
    stage.room.advance(ticks: 1)
    #expect(stage.room.room.playerCount == 2)
    stage.finish()
  }

  @Test func aPlayerWhoseConnectionIsCutComesBack() throws {
    let stage = try Stage()
    let ann = stage.join(1)[0]
    stage.room.advance(by: .seconds(5))
    stage.room.prepareToEnd(within: .seconds(60))
    stage.room.advance(ticks: 1)
    ann.connection?.cut()
    stage.room.advance(by: .seconds(3))
    ann.connect()
    stage.room.advance(ticks: 1)
    #expect(stage.game.log.suffix(2) == ["disconnected 0", "resumed 0"])
    #expect(ann.isConnected)
    stage.finish()
  }

  @Test func anEmptyRoomIsNotKeptAndOneWhosePlayersAreAwayIs() throws {
    let stage = try Stage()
    let ann = stage.join(1)[0]
    stage.room.advance(by: .seconds(30))
    stage.room.prepareToEnd(within: .seconds(600))
    ann.connection?.cut()
    stage.room.advance(by: .seconds(15))
    #expect(!stage.room.room.isClosed, "she may come back")
    stage.room.advance(by: .seconds(6))
    #expect(stage.room.room.isClosed, "it would have lingered for 10 s")
    stage.finish()
    let empty = try Stage()
    empty.room.advance(ticks: 1)
    empty.room.prepareToEnd(within: .seconds(600))
    empty.room.advance(ticks: 1)
    #expect(empty.room.room.isClosed)
    empty.finish()
  }

  @Test(arguments: [1, 7, 30, 60, 128])
  func theDeadlineIsTheLastTickDueByThen(tickRate: Int) throws {
    let room = try Stage(tickRate: tickRate).room.room
    for number: UInt32 in [0, 1, 2, 29, 30, 31, 1000, 123_456_789] {
      let due = room.due(number)
      #expect(room.tick(dueBy: due) == Tick(number))
      #expect(room.tick(dueBy: due.advanced(byNanoseconds: 1)) == Tick(number))
      if number > 0 { #expect(room.tick(dueBy: Instant(nanoseconds: due.nanoseconds - 1)) == Tick(number - 1)) }
    }
  }
}
