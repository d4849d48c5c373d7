import EventLoop

/// The connections of a loop that are told that there is no place, oldest first. Each holds a descriptor until its peer has
/// ended, for some seconds at most.
///
/// Everyone is told: a newcomer beyond the bound displaces the oldest of the address that has most, which has been told.
struct Refusals {
  private struct Told {
    let slot: Int
    let address: IPAddress?
  }

  private let most: Int
  private var told: [Told] = []

  /// Most at once on one of so many loops: together some 32, and enough on each for a goodbye to be on its way.
  static func most(loops: Int) -> Int { max(4, 32 / loops) }

  init(loops: Int) { most = Refusals.most(loops: loops) }

  /// Notes a connection that is to be told.
  ///
  /// - Returns: The slot of the one that has to go for it, if any.
  mutating func enter(_ slot: Int, from address: IPAddress?) -> Int? {
    told.append(Told(slot: slot, address: address))
    guard told.count > most else { return nil }
    var counts: [IPAddress?: Int] = [:]
    for one in told { counts[one.address, default: 0] += 1 }
    let largest = counts.values.max()
    // The newcomer is the last: alone of its address it is found after all others.
    guard let index = told.firstIndex(where: { counts[$0.address] == largest }) else { return nil }
    return told.remove(at: index).slot
  }

  /// Nothing happens for one that had to go before.
  mutating func leave(_ slot: Int) { told.removeAll { $0.slot == slot } }
}
