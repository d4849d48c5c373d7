package import WireFormat

/// Hands out ids from 0, densely; an id given back rests for some ticks, so that no frame still in the log can mean its
/// former holder.
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

  /// An id, or nil when all are in use or rest.
  package mutating func take(at tick: Tick) -> UInt16? {
    if let first = resting.first, tick.rawValue - first.since.rawValue > restTicks {
      return resting.popFirst()?.id
    }
    guard fresh < capacity else { return nil }
    defer { fresh += 1 }
    return UInt16(fresh)
  }

  /// How many ids could be taken now.
  package func available(at tick: Tick) -> Int {
    var rested = 0
    while rested < resting.count, tick.rawValue - resting[rested].since.rawValue > restTicks { rested += 1 }
    return capacity - fresh + rested
  }

  package mutating func giveBack(_ id: UInt16, at tick: Tick) {
    resting.append((tick, id))
  }
}
