import Testing
import WireFormat

@testable import RoomEngine

@Suite struct LedgerTests {
  /// Two came, one of them and a third from another loop went; one is closing, one is in a room.
  private func balanced() -> (Ledger, Census) {
    var ledger = Ledger()
    ledger.accept()
    ledger.accept()
    ledger.arrive()
    var kicked = ConnectionLifecycle()
    ledger.note(kicked.handle(.ended(.kicked, canTell: true)))
    ledger.note(kicked.handle(.farewell(.said, patience: 0, now: Instant(nanoseconds: 0))))
    var moved = ConnectionLifecycle()
    ledger.note(moved.handle(.handedOver))
    ledger.note(moved.handle(.streamClosed))
    ledger.openRoom()
    var census = Census()
    (census.open, census.closing, census.streams) = (1, 1, 2)
    (census.seated, census.attached, census.rooms) = (1, 1, 1)
    (census.joins, census.leaves, census.seats) = (3, 2, 1)
    census.pool.leasedBuffers = 4
    return (ledger, census)
  }

  @Test func whatCameIsThereOrHasEnded() {
    let (ledger, census) = balanced()
    #expect(ledger.faults(census) == [])
    #expect(ledger.closed == [.kicked: 1])
    #expect(ledger.evictions == 1)
    #expect(ledger.held == 2)
  }

  enum Defect: CaseIterable {
    /// The zombie: marked as gone, and still here.
    case endedButOpen
    case closedButHeld, forgotten, roomForgotten, seatKept, leftTwice, servedWithoutRoom

    func apply(to census: inout Census) {
      switch self {
      case .endedButOpen: census.open += 1
      case .closedButHeld: census.streams -= 1
      case .forgotten: census.closing -= 1
      case .roomForgotten: census.rooms -= 1
      case .seatKept: census.seats += 1
      case .leftTwice: census.leaves += 1
      case .servedWithoutRoom: census.attached -= 1
      }
    }

    var name: String {
      switch self {
      case .endedButOpen: "open connections"
      case .closedButHeld: "open streams"
      case .forgotten: "closing connections"
      case .roomForgotten: "rooms"
      case .seatKept, .leftTwice: "seats"
      case .servedWithoutRoom: "members"
      }
    }
  }

  @Test(arguments: Defect.allCases)
  func whatDoesNotBalanceIsNamed(defect: Defect) {
    let (ledger, sound) = balanced()
    var census = sound
    defect.apply(to: &census)
    let faults = ledger.faults(census)
    #expect(faults.contains { $0.hasPrefix("\(defect.name): ") }, "\(faults)")
  }

  @Test func buffersThatNobodyCanHoldAreALeak() {
    var census = Census()
    #expect(Ledger().faults(census) == [])
    census.pool.leasedBuffers = 1
    #expect(Ledger().faults(census) == ["1 buffers are leased though nobody is here"])
  }

  @Test func theSumOfLoopsBalancesAsTheyDo() {
    let (one, census) = balanced()
    var both = one
    both.add(one)
    var all = census
    all.add(census)
    #expect(both.faults(all) == [])
    #expect(both.closed == [.kicked: 2])
  }
}
