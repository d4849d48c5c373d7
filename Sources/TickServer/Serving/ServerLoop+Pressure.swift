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

  /// What members of this loop hold for themselves, in bytes: all that is leased but for what rooms hold.
  var memberBytes: Int { pool.usage.leasedBytes - hosts.values.reduce(0) { $0 + $1.room.ownBufferBytes } }

  /// Called after ticks: they are what fills outboxes. One tick can add what the game itself sends in it, no more.
  func keepLaggardBudget() {
    // All that is leased is an upper bound, and costs nothing to look at.
    guard pool.usage.leasedBytes > shared.pressure.laggardBudget.bytes / shared.loopCount else { return }
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
    guard level == .critical else { return }
    let now = clock()
    let stuck = worstLaggards().filter {
      $0.delivery.isBehind(forNanoseconds: ServerLoop.leastLagNanoseconds, now: now)
    }
    for connection in stuck.prefix(ServerLoop.evictionsPerSweep) {
      end(connection, .overBudget, "the server is short of memory; this member held most")
    }
  }

  /// Those whose socket takes nothing now, who hold most first.
  private func worstLaggards() -> [Connection] {
    connections
      .compactMap { connection in
        guard let connection, !connection.hasEnded, connection.delivery.hasWriteInFlight else { return nil }
        return connection
      }
      .sorted { $0.delivery.heldBytes > $1.delivery.heldBytes }
  }
}
