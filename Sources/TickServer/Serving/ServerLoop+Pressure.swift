import EventLoop
import RoomEngine
import WireFormat

/// What the loop does when memory runs short.
extension ServerLoop {
  /// Laggards evicted by one sweep while the pressure is critical: with four sweeps a second, enough to end hundreds
  /// before the next level would be death, and few enough to see whether it was enough.
  static let evictionsPerSweep = 8
  /// Who is behind for less may be healthy: a socket is full for a moment when the network hiccups.
  private static let leastLagNanoseconds: UInt64 = 500_000_000
  /// Between two looks at which idle buffers nobody needed.
  private static let sweepsPerGiveBack = 12

  /// What members of this loop hold for themselves, in bytes: all that is leased but for what rooms hold, with the heads
  /// of the buffers, which of small messages are the larger part.
  var memberBytes: Int {
    let own = hosts.values.reduce(into: (bytes: 0, buffers: 0)) { sum, host in
      let room = host.room.ownBuffers
      sum = (sum.bytes + room.bytes, sum.buffers + room.count)
    }
    return pool.usage.leasedBytes - own.bytes + (pool.usage.leasedBuffers - own.buffers) * MemoryCosts.bufferHead
  }

  /// Whether members of this loop may hold so many bytes more.
  func isWithinLaggardBudget(and bytes: Int) -> Bool {
    let budget = shared.pressure.laggardBudget.bytes / shared.loopCount
    // All that is leased is an upper bound, and costs nothing to look at.
    let leased = pool.usage.leasedBytes + pool.usage.leasedBuffers * MemoryCosts.bufferHead
    return leased + bytes <= budget || memberBytes + bytes <= budget
  }

  /// Called after ticks: they are what fills outboxes. One tick can add what the game itself sends in it, no more:
  /// missed events are leased only within the budget.
  func keepLaggardBudget() {
    // All that is leased is an upper bound, and costs nothing to look at.
    let leased = pool.usage.leasedBytes + pool.usage.leasedBuffers * MemoryCosts.bufferHead
    guard leased > shared.pressure.laggardBudget.bytes / shared.loopCount else { return }
    var excess = shared.pressure.excess(ofLoop: index, holding: memberBytes)
    guard excess > 0 else { return }
    for connection in worstLaggards() {
      let before = memberBytes
      end(connection, .overBudget, "all members together held more than laggardBudget; this one held most")
      excess -= max(0, before - memberBytes)
      if excess <= 0 { break }
    }
    for host in hosts.values where excess > 0 { excess -= host.room.halveKeptWhispers() }
    _ = shared.pressure.excess(ofLoop: index, holding: memberBytes)
  }

  /// Called by the sweep.
  func relievePressure() {
    _ = shared.pressure.excess(ofLoop: index, holding: memberBytes)
    sweepsSinceGiveBack += 1
    if sweepsSinceGiveBack >= ServerLoop.sweepsPerGiveBack {
      sweepsSinceGiveBack = 0
      pool.giveBackUnused()
      shrinkSlots()
    }
    let level = shared.pressure.level
    guard level > .normal else { return }
    pool.trim()
    loop.giveBackSpare()
    guard level == .critical else { return shared.pressure.note(stuck: 0, onLoop: index) }
    let now = attendedClock()
    let stuck = worstLaggards().filter {
      $0.delivery.isBehind(forNanoseconds: ServerLoop.leastLagNanoseconds, now: now)
    }
    // Told with those who are evicted now: their memory is free a moment later.
    shared.pressure.note(stuck: stuck.count, onLoop: index)
    for connection in stuck.prefix(ServerLoop.evictionsPerSweep) {
      end(connection, .overBudget, "the server is short of memory; this member held most")
    }
  }

  /// Closes a room because memory grows though nobody is admitted, and gives back what it held.
  func closeForMemory(_ name: String, _ text: String) {
    guard let host = hosts[name] else { return }
    counters.roomsClosedForMemory += 1
    close(host, .overBudget, text)
    pool.trim()
    loop.giveBackSpare()
  }

  // MARK: Admissions

  /// What one newcomer may take of a game that has declared nothing, at once: a crowd comes in less time than lies between
  /// two readings of the memory. While there is more room than that, nobody waits for it.
  private static let bytesOfNewcomer = 1024 * 1024

  /// Says how many seats a room may give in the tick that comes, if anybody waits for one.
  func allowSeats(in room: Room) {
    guard room.hasJoinsWaiting else { return }
    let declared = room.kind.memory.bytesPerPlayer.bytes
    let most = shared.pressure.mayAdmit(bytesEach: ServerLoop.bytesOfNewcomer.addingSaturating(declared)).count
    context.seats = most > 0 ? .upTo(most) : .refused
  }

  /// Whether a further room may be opened now.
  func mayOpenRoom(_ kind: RoomKind) -> Bool {
    let headroom = shared.pressure.mayAdmit(
      bytesEach: ServerLoop.bytesOfNewcomer.addingSaturating(kind.memoryBytes).addingSaturating(kind.gameBytes))
    if headroom.reading != roomsOpened.reading { roomsOpened = (headroom.reading, 0) }
    guard roomsOpened.count < headroom.count else { return false }
    roomsOpened.count += 1
    return true
  }

  /// Those whose socket takes nothing now, who hold most first.
  private func worstLaggards() -> [Connection] {
    connections
      .compactMap { connection in
        guard let connection, !connection.hasEnded, connection.delivery.isWaiting else { return nil }
        return connection
      }
      .sorted { $0.delivery.heldBytes > $1.delivery.heldBytes }
  }
}
