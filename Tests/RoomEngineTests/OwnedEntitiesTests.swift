import Testing
import WireFormat

@testable import RoomEngine

@Suite struct OwnedEntitiesTests {
  private func visited(_ owned: OwnedEntities, _ player: UInt16) -> [EntityID] {
    var found: [EntityID] = []
    owned.forEach(of: PlayerID(rawValue: player)) { found.append($0) }
    return found
  }

  /// Leaving visits this list: what others own, and what nobody owns, is not looked at.
  @Test func nothingIsVisitedButWhatThePlayerOwns() {
    var owned = OwnedEntities(capacities: [1000, 50_000], players: 200)
    for id in 0..<50_000 {
      owned.insert(
        EntityID(kind: KindIndex(1), id: UInt16(id)), of: PlayerID(rawValue: id == 77 ? 3 : UInt16(id % 100 + 100)))
    }
    owned.insert(EntityID(kind: KindIndex(0), id: 999), of: PlayerID(rawValue: 3))
    #expect(visited(owned, 3).count == 2)
    #expect(Set(visited(owned, 3)) == [EntityID(kind: KindIndex(0), id: 999), EntityID(kind: KindIndex(1), id: 77)])
    #expect(visited(owned, 4) == [])
    #expect(visited(owned, 60_000) == [])
  }

  @Test func listsStayWholeWhateverIsTakenOut() {
    var random = SystemRandomNumberGenerator()
    var owned = OwnedEntities(capacities: [40, 1, 23], players: 5)
    var expected: [EntityID: UInt16] = [:]
    let all = [(0, 40), (1, 1), (2, 23)].flatMap { kind, capacity in
      (0..<capacity).map { EntityID(kind: KindIndex(UInt8(kind)), id: UInt16($0)) }
    }
    for _ in 0..<5000 {
      guard let entity = all.randomElement(using: &random) else { return }
      if let owner = expected.removeValue(forKey: entity) {
        owned.remove(entity, of: PlayerID(rawValue: owner))
      } else {
        let owner = UInt16.random(in: 0..<5, using: &random)
        expected[entity] = owner
        owned.insert(entity, of: PlayerID(rawValue: owner))
      }
      for player in UInt16(0)..<5 {
        #expect(visited(owned, player).sorted() == expected.filter { $0.value == player }.keys.sorted())
      }
    }
  }
}
