package import RoomEngine

/// A loop's last word, told when nothing of it is left.
package struct LoopReport: Sendable {
  package let ledger: Ledger
  /// Buffers that somebody still held at the end.
  package let pool: BufferPool.Usage
  /// What did not balance in any self-check, and what does not now that nothing is there any more.
  package let faults: [String]

  init(_ ledger: Ledger, _ rooms: RoomCounters, _ pool: BufferPool.Usage, earlierFaults: [String]) {
    var census = Census()
    census.joins = rooms.joins
    census.leaves = rooms.leaves
    census.pool = pool
    self.ledger = ledger
    self.pool = pool
    faults = earlierFaults + ledger.faults(census)
  }
}
