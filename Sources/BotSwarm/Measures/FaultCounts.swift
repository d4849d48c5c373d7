/// What the bots found wrong. Every count must be 0 in a good run.
package struct FaultCounts: Hashable, Sendable {
  /// A frame whose previous tick is not the last one the bot has: something was lost on the way.
  package var gaps = 0
  /// A frame of the same tick as the last one, or of an earlier one.
  package var orderFaults = 0
  /// Two bots of a room with different state at the same tick.
  package var hashDifferences = 0
  /// Reliable events and whispers of a known sender that a bot of its room never saw.
  package var eventsLost = 0
  /// The same seen again.
  package var eventsDoubled = 0
  /// A reliable event number that is not the next one, or a later event of a sender seen before an earlier one.
  package var eventsOutOfOrder = 0
  /// Calls without a reply, or with the wrong one.
  package var callFaults = 0
  /// Messages that did not follow the protocol.
  package var decodeErrors = 0

  package init() {}

  package static func + (one: FaultCounts, other: FaultCounts) -> FaultCounts {
    var sum = one
    sum.gaps += other.gaps
    sum.orderFaults += other.orderFaults
    sum.hashDifferences += other.hashDifferences
    sum.eventsLost += other.eventsLost
    sum.eventsDoubled += other.eventsDoubled
    sum.eventsOutOfOrder += other.eventsOutOfOrder
    sum.callFaults += other.callFaults
    sum.decodeErrors += other.decodeErrors
    return sum
  }

  /// The counts under the names used in texts, in the order of the declaration.
  package var named: [(name: String, count: Int)] {
    [
      ("gaps", gaps), ("order faults", orderFaults), ("hash differences", hashDifferences), ("events lost", eventsLost),
      ("events doubled", eventsDoubled), ("events out of order", eventsOutOfOrder), ("call faults", callFaults),
      ("decode errors", decodeErrors),
    ]
  }

  package var total: Int { named.reduce(0) { $0 + $1.count } }
}
