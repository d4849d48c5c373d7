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
    #expect(ann.ownEntities(TestSchema.avatar).count == 1)
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
    stage.finish()
  }
}
