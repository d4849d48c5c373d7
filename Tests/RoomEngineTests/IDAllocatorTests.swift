import Testing
import WireFormat

@testable import RoomEngine

@Suite struct IDAllocatorTests {
  @Test func idsAreDense() {
    var ids = IDAllocator(capacity: 3, restTicks: 10)
    let first = (0..<4).map { _ in ids.take(at: Tick(1)) }
    #expect(first == [0, 1, 2, nil])
  }

  @Test func anIDRestsWhileThereAreOthers() {
    var ids = IDAllocator(capacity: 4, restTicks: 10)
    for _ in 0..<2 { _ = ids.take(at: Tick(1)) }
    ids.giveBack(1, at: Tick(5))
    #expect(ids.available == 3)
    // Within its rest others come first; after it the rested one does.
    let (early, rested) = (ids.take(at: Tick(15)), ids.take(at: Tick(16)))
    #expect((early, rested) == (2, 1))
  }

  @Test func nobodyIsRefusedForTheRestOfAnID() {
    var ids = IDAllocator(capacity: 2, restTicks: 10)
    for _ in 0..<2 { _ = ids.take(at: Tick(1)) }
    ids.giveBack(1, at: Tick(5))
    ids.giveBack(0, at: Tick(5))
    #expect(ids.available == 2)
    let again = (0..<3).map { _ in ids.take(at: Tick(5)) }
    #expect(again == [1, 0, nil], "the one that has rested longest first")
  }

  @Test func everyIDOfTheLargestCapacityIsHandedOutOnce() {
    var ids = IDAllocator(capacity: 65536, restTicks: 64)
    var seen = Set<UInt16>()
    while let id = ids.take(at: Tick(0)) { seen.insert(id) }
    #expect(seen.count == 65536)
  }
}
