import RoomEngine
import RoomTestKit
import Testing

@Suite struct TickCountTests {
  @Test(arguments: [
    (Duration.milliseconds(1), 1), (.milliseconds(33), 1), (.milliseconds(34), 2), (.milliseconds(40), 2),
    (.milliseconds(500), 15), (.seconds(2), 60), (.zero, 1), (.seconds(-1), 1), (.seconds(3600), 108_000),
    (.seconds(Int64.max), Int(UInt32.max)),
  ])
  func aDelayIsNeverCutShort(delay: Duration, ticks: Int) throws {
    let stage = try Stage()
    #expect(stage.room.room.ticks(in: delay) == UInt32(ticks))
    stage.finish()
  }
}
