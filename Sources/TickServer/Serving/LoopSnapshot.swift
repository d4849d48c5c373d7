import RoomEngine

/// What a loop last said about itself: everything that the admin port may know of it.
struct LoopSnapshot: Sendable {
  enum Phase: Sendable {
    case serving
    case draining
    /// Its last word: the counts stay, so that sums over all loops hold.
    case ended
  }

  var publishedAt: Instant
  var phase = Phase.serving
  var ledger = Ledger()
  var census = Census()
  /// What does not balance; empty unless the server has a defect.
  var faults: [String] = []
  /// Of all rooms there ever were on the loop.
  var rooms = RoomCounters()
  var ticks: UInt64 = 0
  var missedTicks: UInt64 = 0
  /// Because memory was short.
  var joinsRefusedForMemory: UInt64 = 0
  var roomsClosedForMemory: UInt64 = 0
  /// When the next tick is due; nil without rooms.
  var tickDue: Instant?
  var lateness = TickHistogram.Reading()
  var duration = TickHistogram.Reading()
}

extension LoopSnapshot {
  /// What both loops did; when and in which phase is no sum.
  mutating func add(_ other: LoopSnapshot) {
    ledger.add(other.ledger)
    census.add(other.census)
    faults += other.faults
    rooms.add(other.rooms)
    ticks += other.ticks
    missedTicks += other.missedTicks
    joinsRefusedForMemory += other.joinsRefusedForMemory
    roomsClosedForMemory += other.roomsClosedForMemory
    lateness = lateness + other.lateness
    duration = duration + other.duration
  }
}
