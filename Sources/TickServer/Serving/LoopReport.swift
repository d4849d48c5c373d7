import RoomEngine
package import WireFormat

/// What one loop did in its life, told when nothing of it is left: the ledger that must balance.
package struct LoopReport: Sendable {
  /// Connections that the kernel gave to this loop.
  package let accepted: UInt64
  /// Connections that came from other loops.
  package let movedHere: UInt64
  /// Connections that went to other loops.
  package let movedAway: UInt64
  /// Connections that ended here, by the one reason each of them has.
  package let closed: [CloseReason: UInt64]
  package let roomsOpened: UInt64
  package let roomsClosed: UInt64
  /// Buffers that somebody still held at the end.
  package let leasedBuffers: Int
  package let leasedBytes: Int

  init(_ counters: LoopCounters, _ pool: BufferPool.Usage) {
    accepted = counters.accepted
    movedHere = counters.movedHere
    movedAway = counters.movedAway
    closed = counters.closed
    roomsOpened = counters.roomsOpened
    roomsClosed = counters.roomsClosed
    leasedBuffers = pool.leasedBuffers
    leasedBytes = pool.leasedBytes
  }

  /// Connections that came and are not accounted for by a reason or another loop; negative when one was counted twice.
  package var missingConnections: Int64 {
    Int64(accepted + movedHere) - Int64(movedAway + closed.values.reduce(0, +))
  }
}
