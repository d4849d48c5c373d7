import RoomTestKit
import Testing
import TickServer

@Suite struct TagTests {
  @Test func whoIsItCatchesAnother() throws {
    let fields = try TagFields()
    let room = SimulatedRoom(RoomKind("tag", schema: fields.schema, capacity: 20) { Tag(fields) })
    let (ann, bob) = (room.join(), room.join())
    room.advance(ticks: 1)
    let hers = try #require(ann.ownEntities(fields.runner).first)
    let his = try #require(bob.ownEntities(fields.runner).first)
    #expect(bob.get(fields.isIt, of: hers) == true)

    try bob.set(fields.position, of: his, to: SIMD2(5, 5))
    room.advance(by: .seconds(3))
    #expect(ann.get(fields.isIt, of: his) == false)
    try ann.set(fields.position, of: hers, to: SIMD2(5, 4.5))
    room.advance(ticks: 1)

    #expect(ann.get(fields.isIt, of: his) == true)
    #expect(ann.events().map(\Tagged.player) == [bob.player])
    #expect(room.faults.isEmpty)
  }
}
