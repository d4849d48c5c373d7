package import WireFormat

/// What came to a loop and what became of it: the counts that must balance with what is found there. They only grow.
///
/// Written where it happens, in one place each; a ``Census`` counts anew what is there. A connection that was marked as
/// gone and is still held, one that was let go twice or forgotten: each makes the two differ.
package struct Ledger: Equatable, Sendable {
  /// Connections that the kernel gave to this loop.
  package private(set) var accepted: UInt64 = 0
  /// Connections that came from other loops.
  package private(set) var movedHere: UInt64 = 0
  /// Connections that went to other loops.
  package private(set) var movedAway: UInt64 = 0
  /// Connections that ended here, by the one reason each of them has.
  package private(set) var closed: [CloseReason: UInt64] = [:]
  /// Connections whose slot and place were given back.
  package private(set) var released: UInt64 = 0
  package private(set) var roomsOpened: UInt64 = 0
  package private(set) var roomsClosed: UInt64 = 0
  /// Those of them where nobody was and that made way for another one.
  package private(set) var roomsYielded: UInt64 = 0

  package init() {}

  /// Connections that are here, those in their end included.
  package var held: Int { Int(accepted + movedHere) - Int(released) }

  /// Connections that ended here.
  package var closedInAll: UInt64 { closed.values.reduce(0, +) }

  /// Connections that the server ended, by its own decision.
  package var evictions: UInt64 { closed.reduce(0) { $1.key.isTold ? $0 + $1.value : $0 } }

  // MARK: What happens

  package mutating func accept() { accepted += 1 }

  package mutating func arrive() { movedHere += 1 }

  /// It came, and could not be taken in.
  package mutating func turnAway(_ reason: CloseReason) {
    closed[reason, default: 0] += 1
    released += 1
  }

  package mutating func openRoom() { roomsOpened += 1 }

  package mutating func closeRoom() { roomsClosed += 1 }

  package mutating func yieldRoom() { roomsYielded += 1 }

  /// A step in the end of a connection.
  package mutating func note(_ action: ConnectionLifecycle.Action) {
    switch action {
    case .part(let departure): closed[departure.reason, default: 0] += 1
    case .letGo(.detached, _): movedAway += 1
    case .release: released += 1
    case .none, .letGo, .close, .closeUnawaited, .reset: break
    }
  }

  /// Adds another loop's.
  package mutating func add(_ other: Ledger) {
    accepted += other.accepted
    movedHere += other.movedHere
    movedAway += other.movedAway
    closed.merge(other.closed, uniquingKeysWith: +)
    released += other.released
    roomsOpened += other.roomsOpened
    roomsClosed += other.roomsClosed
    roomsYielded += other.roomsYielded
  }

  // MARK: The check

  /// What does not balance, in words; empty unless the server has a defect.
  package func faults(_ census: Census) -> [String] {
    var faults: [String] = []
    func balance(_ what: String, _ expected: Int64, _ found: Int) {
      if expected != Int64(found) { faults.append("\(what): \(expected) by the books, \(found) found") }
    }
    let ended = Int64(closedInAll + movedAway)
    balance("open connections", Int64(accepted + movedHere) - ended, census.open)
    balance("closing connections", ended - Int64(released), census.closing)
    balance("open streams", Int64(census.open + census.closing), census.streams)
    balance("rooms", Int64(roomsOpened) - Int64(roomsClosed), census.rooms)
    balance("seats", Int64(census.joins) - Int64(census.leaves), census.seats)
    balance("members", Int64(census.attached), census.seated)
    if census.streams == 0, census.rooms == 0, census.pool.leasedBuffers > 0 {
      faults.append("\(census.pool.leasedBuffers) buffers are leased though nobody is here")
    }
    return faults
  }
}

/// What is on a loop at one moment, counted by looking.
package struct Census: Equatable, Sendable {
  /// Connections that have not ended.
  package var open = 0
  /// Connections that have ended and whose stream is not closed yet.
  package var closing = 0
  /// Bytes that the kernel holds of those because their peers have not acknowledged them.
  package var closingUnsentBytes = 0
  /// Streams of connections, as the event loop counts them.
  package var streams = 0
  /// Connections that are in a room, as they see it.
  package var seated = 0
  package var rooms = 0
  /// Members with a connection, as the rooms see it.
  package var attached = 0
  /// Of these, members who are read at ticks.
  package var readAtTicks = 0
  /// Seats, those of absent players included.
  package var seats = 0
  /// Seats given and given up, of all rooms there ever were.
  package var joins: UInt64 = 0
  package var leaves: UInt64 = 0
  /// Buffers of writes in flight; a frame that several laggards hold counts for each of them.
  package var pinnedBytes = 0
  package var pool = BufferPool.Usage()

  package init() {}

  /// Adds another loop's.
  package mutating func add(_ other: Census) {
    open += other.open
    closing += other.closing
    closingUnsentBytes += other.closingUnsentBytes
    streams += other.streams
    seated += other.seated
    rooms += other.rooms
    attached += other.attached
    readAtTicks += other.readAtTicks
    seats += other.seats
    joins += other.joins
    leaves += other.leaves
    pinnedBytes += other.pinnedBytes
    pool.leasedBuffers += other.pool.leasedBuffers
    pool.leasedBytes += other.pool.leasedBytes
    pool.idleBytes += other.pool.idleBytes
    pool.highWaterBytes += other.pool.highWaterBytes
  }
}
