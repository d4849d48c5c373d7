import RoomEngine

/// What the loop tells the admin port, four times a second and never within a tick: a few microseconds, no wait.
extension ServerLoop {
  func publish(_ census: Census) {
    publish(census, drainUntil == nil && !isFinished ? .serving : .draining)
  }

  func publish(_ census: Census, _ phase: LoopSnapshot.Phase) {
    shared.publish(
      LoopSnapshot(
        publishedAt: clock(), phase: phase, ledger: ledger, census: census, faults: ledgerFaults,
        rooms: allRoomCounters, ticks: counters.ticks, missedTicks: counters.missedTicks,
        joinsRefusedForMemory: counters.joinsRefusedForMemory, roomsClosedForMemory: counters.roomsClosedForMemory,
        tickDue: schedule.next,
        lateness: counters.lateness.reading, duration: counters.duration.reading),
      of: index)
  }

  /// Of the rooms that are closed and those that are open.
  var allRoomCounters: RoomCounters {
    hosts.values.reduce(into: counters.rooms) { $0.add($1.room.counters) }
  }
}
