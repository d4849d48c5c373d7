import Testing
import WireFormat

@testable import RoomEngine

@Suite struct IDAllocatorTests {
  @Test func idsAreDenseAndRestAfterUse() {
    var ids = IDAllocator(capacity: 3, restTicks: 10)
    let first = (0..<4).map { _ in ids.take(at: Tick(1)) }
    #expect(first == [0, 1, 2, nil])
    ids.giveBack(1, at: Tick(5))
    #expect(ids.available(at: Tick(15)) == 0)
    let early = ids.take(at: Tick(15))
    #expect(early == nil)
    #expect(ids.available(at: Tick(16)) == 1)
    let rested = [ids.take(at: Tick(16)), ids.take(at: Tick(16))]
    #expect(rested == [1, nil])
  }

  @Test func everyIDOfTheLargestCapacityIsHandedOutOnce() {
    var ids = IDAllocator(capacity: 65536, restTicks: 64)
    var seen = Set<UInt16>()
    while let id = ids.take(at: Tick(0)) { seen.insert(id) }
    #expect(seen.count == 65536)
  }
}
