import EventLoop
import Logging
import RoomEngine

/// The loop's self-check: what is there against what the ledger says.
extension ServerLoop {
  /// Counts what is on the loop now.
  func takeCensus() -> Census {
    var census = Census()
    forEachConnection { connection in
      if connection.hasEnded {
        census.closing += 1
        if connection.stream.isOpen { census.closingUnsentBytes += connection.unsentBytes }
      } else {
        census.open += 1
        if case .seated = connection.state { census.seated += 1 }
        census.pinnedBytes += connection.delivery.pinnedBytes
      }
    }
    census.streams = loop.gauges.streams
    census.rooms = hosts.count
    for host in hosts.values {
      census.attached += host.room.attached.count
      census.seats += host.room.playerCount
    }
    census.readAtTicks = membersReadAtTicks
    let rooms = allRoomCounters
    census.joins = rooms.joins
    census.leaves = rooms.leaves
    census.pool = pool.usage
    return census
  }

  /// Compares the two, says so when they differ, for then the server has a defect, and publishes both.
  func checkLedger() {
    let census = takeCensus()
    defer { publish(census) }
    let faults = ledger.faults(census)
    // A fault that stays is told once.
    guard !faults.isEmpty, faults != ledgerFaults else { return }
    ledgerFaults = faults
    logFault("the ledger does not balance", "faults", faults.joined(separator: "; "))
  }

  /// Writes the books to the log, now and then, when anything came or went.
  func logLedger(now: Instant) {
    guard now.nanoseconds(since: ledgerLogged.at) >= ServerLoop.ledgerLogNanoseconds else { return }
    if ledger != ledgerLogged.ledger { logger.info("ledger", metadata: summary) }
    ledgerLogged = (now, ledger)
  }

  static let ledgerLogNanoseconds: UInt64 = 60_000_000_000

  /// What the loop did, for the log.
  var summary: Logger.Metadata {
    let reasons = ledger.closed.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.key.name)=\($0.value)" }
    let connections: Logger.Metadata = [
      "accepted": "\(ledger.accepted)", "closed": "\(reasons.joined(separator: " "))",
      "moved": "\(ledger.movedHere)", "rooms": "\(ledger.roomsOpened)",
    ]
    return connections.merging(counters.summary(of: allRoomCounters)) { one, _ in one }
  }
}
