package import WireFormat

/// Hands out ids from 0, densely; an id given back rests for some ticks, so that no frame still in the log can mean its
/// former holder.
package struct IDAllocator {
  private let capacity: Int
  private let restTicks: UInt32
  private var fresh = 0
  private var resting = Ring<(id: UInt16, since: Tick)>()

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
    resting.append((id, tick))
  }
}
