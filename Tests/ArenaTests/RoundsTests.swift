import RoomTestKit
import Testing
import TickServer

@Suite struct RoundsTests {
  private func room() throws -> SimulatedRoom {
    let schema = try Schema([EntityKind("round", capacity: 1, fields: [Field("number", .unsigned(bits: 8))])])
    return SimulatedRoom(RoomKind("rounds", schema: schema, capacity: 8) { Rounds() })
  }

  @Test func theRoundThatGoesOnIsTheLast() throws {
    let room = try room()
    let ann = room.join()
    room.advance(by: .seconds(90))
    room.prepareToEnd(within: .seconds(1800))
    room.advance(by: .seconds(25))
    #expect(ann.isConnected)
    room.advance(by: .seconds(10))
    #expect(ann.goodbye?.text == "the last round is over")
  }

  @Test func aRoundThatIsTooLongEndsAtTheDeadline() throws {
    let room = try room()
    let ann = room.join()
    room.advance(by: .seconds(1))
    room.prepareToEnd(within: .seconds(20))
    room.advance(by: .seconds(16))
    #expect(ann.goodbye?.reason == .roomClosed)
  }
}
