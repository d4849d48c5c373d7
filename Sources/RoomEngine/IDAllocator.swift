package import WireFormat

/// Hands out ids from 0, densely. An id given back rests for some ticks while there are others: what a game, or a message
/// on its way, still calls by it is not taken for the next holder.
///
/// The protocol does not need that: frames are applied in order, and an id has a generation. So nobody is refused for it,
/// or who takes and gives back as fast as it may would use up the ids of all. When all others are in use, the one that
/// has rested longest is taken.
package struct IDAllocator {
  private let capacity: Int
  private let restTicks: UInt32
  private var fresh = 0
  private var resting = Ring<Resting>()

  /// In this order an absent one is told by a byte that the two leave: 8 bytes a place, not 12.
  private typealias Resting = (since: Tick, id: UInt16)
  /// What an id takes that rests, in a ring that may just have doubled.
  static let bytesOfRestingID = 2 * MemoryLayout<Resting?>.stride

  package init(capacity: Int, restTicks: Int) {
    self.capacity = capacity
    self.restTicks = UInt32(restTicks)
  }

  /// An id, or nil when all are in use.
  package mutating func take(at tick: Tick) -> UInt16? {
    if let first = resting.first, fresh == capacity || tick.rawValue - first.since.rawValue > restTicks {
      return resting.popFirst()?.id
    }
    guard fresh < capacity else { return nil }
    defer { fresh += 1 }
    return UInt16(fresh)
  }

  /// How many ids could be taken now.
  package var available: Int { capacity - fresh + resting.count }

  package mutating func giveBack(_ id: UInt16, at tick: Tick) {
    resting.append((tick, id))
  }
}
