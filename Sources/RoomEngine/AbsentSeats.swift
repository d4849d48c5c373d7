/// The seats whose players are away, charged to the addresses of those players.
struct AbsentSeats {
  private(set) var seats: [Seat] = []
  private var counts = AddressCounts()

  var isEmpty: Bool { seats.isEmpty }

  mutating func append(_ seat: Seat) {
    seat.awaySlot = seats.count
    seats.append(seat)
    counts.charge(seat.address)
  }

  /// In one step: when a whole room loses its connections at once, all of them are given up in one tick. Nothing happens
  /// to a seat that is not among them.
  mutating func remove(_ seat: Seat) {
    let slot = seat.awaySlot
    guard slot >= 0 else { return }
    seat.awaySlot = -1
    counts.refund(seat.address)
    let last = seats.removeLast()
    guard last !== seat else { return }
    seats[slot] = last
    last.awaySlot = slot
  }

  /// The seat that makes way for a newcomer to a full room: of the address that has most absent seats, the one that was
  /// held for the shortest time. Never the only one of an address: its player may be about to come back.
  func toYield() -> Seat? {
    guard counts.crowded > 0 else { return nil }
    // In the order of the list, not of a dictionary: the same for the same history.
    return seats.max { one, other in
      let (few, many) = (counts[one.address], counts[other.address])
      return few == many ? one.heldNanoseconds > other.heldNanoseconds : few < many
    }
  }

  /// Whether the counts are those of the list; for the room's self-check.
  var isBalanced: Bool { counts.total == seats.count && counts.addresses == Set(seats.map(\.address)).count }
}
