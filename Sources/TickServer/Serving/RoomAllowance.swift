import RoomEngine

/// How many rooms one address may have open. They are charged to the address that opened them, until they close.
struct RoomAllowance: Sendable {
  private let setting: RoomLimit
  private let mostRooms: Int

  init(_ setting: RoomLimit, mostRooms: Int) {
    self.setting = setting
    self.mostRooms = mostRooms
  }

  /// Rooms that are kept from those who hold many: a quarter, rounded down.
  private var kept: Int { mostRooms / 4 }

  /// Why an address that holds so many may not open another; nil when it may.
  ///
  /// `auto`: of the last quarter an address gets a room while four times what it holds is less than what is free. However
  /// many rooms a number of addresses take together, some are left for one that holds none: `n` addresses leave at least
  /// `mostRooms / (n / 4 + 1)`, up to the quarter, and never the last one.
  ///
  /// - Parameter free: rooms that could be opened now, those that would make way included.
  func refusal(held: Int, free: Int) -> String? {
    switch setting {
    case .unlimited: return nil
    case .atMost(let most):
      return held < most ? nil : "this address holds \(held) rooms, maxRoomsPerAddress is \(most)"
    case .auto:
      guard free > 0, free <= kept, held > 0, 4 * held >= free else { return nil }
      return
        "this address holds \(held) rooms and \(free) of \(mostRooms) are free: the last quarter is kept for addresses "
        + "with fewer (maxRoomsPerAddress)"
    }
  }
}
