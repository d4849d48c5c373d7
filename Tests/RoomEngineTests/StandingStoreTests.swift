import RoomTestKit
import Testing

@testable import RoomEngine

@Suite("Where standings lie")
struct StandingStoreTests {
  /// A page without its head.
  private static let standingsPerPage = StandingStore.pageBytes / StandingStore.lineBytes - 1

  @Test("each has a line of its own, and as many as fit share a page")
  func lines() {
    let store = StandingStore()
    let standings = (0..<Self.standingsPerPage).map { _ in UInt(bitPattern: store.take()) }
    #expect(store.bytes == StandingStore.pageBytes)
    #expect(Set(standings.map { $0 / UInt(StandingStore.pageBytes) }).count == 1)
    #expect(Set(standings.map { $0 / UInt(StandingStore.lineBytes) }).count == standings.count)
    #expect(standings.allSatisfy { $0 % UInt(StandingStore.lineBytes) == 0 })
    _ = store.take()
    #expect(store.bytes == 2 * StandingStore.pageBytes)
  }

  @Test("whoever comes and goes: nobody gets what another has, and pages go when nobody stands on them")
  func comingAndGoing() {
    let store = StandingStore()
    var held: [(standing: UnsafeMutablePointer<Standing>, tag: Int)] = []
    var random = SplitMix64(seed: 7)
    // A tide: it rises to some hundreds of standings and falls again, several times.
    for step in 0..<20_000 {
      let isRising = step / 2000 % 2 == 0
      if held.isEmpty || Int.random(in: 0..<10, using: &random) < (isRising ? 7 : 3) {
        let standing = store.take()
        standing.initialize(to: Standing(tag: step))
        held.append((standing, step))
      } else {
        let gone = held.remove(at: Int.random(in: 0..<held.count, using: &random))
        #expect(gone.standing.pointee.tag == gone.tag)
        store.giveBack(gone.standing)
      }
      let least = (held.count + Self.standingsPerPage - 1) / Self.standingsPerPage
      #expect(store.bytes >= least * StandingStore.pageBytes)
    }
    #expect(held.allSatisfy { $0.standing.pointee.tag == $0.tag })
    #expect(Set(held.map(\.standing)).count == held.count)
    for (standing, _) in held { store.giveBack(standing) }
    #expect(store.bytes == StandingStore.pageBytes)
  }

  @Test("a full page that gets room again is filled before another begins")
  func roomIsUsedFirst() {
    let store = StandingStore()
    let standings = (0..<3 * Self.standingsPerPage).map { _ in store.take() }
    #expect(store.bytes == 3 * StandingStore.pageBytes)
    for place in [0, Self.standingsPerPage, 2 * Self.standingsPerPage] { store.giveBack(standings[place]) }
    let again = (0..<3).map { _ in store.take() }
    #expect(store.bytes == 3 * StandingStore.pageBytes)
    #expect(Set(again) == Set([0, Self.standingsPerPage, 2 * Self.standingsPerPage].map { standings[$0] }))
  }
}
