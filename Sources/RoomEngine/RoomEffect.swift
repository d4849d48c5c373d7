package import WireFormat

/// What a tick asks of the shell, in order.
package enum RoomEffect {
  /// The connection has a seat now.
  case seated(Delivery, Seat)
  /// The connection stays in the lobby; tell it why.
  case refused(Delivery, JoinRefused)
  /// The player left; tell it, and the connection is back in the lobby.
  case left(Delivery)
  /// End the connection.
  case evict(Delivery, CloseReason, String)
  /// The session's seat is given up: its ticket means nothing any more.
  case freed(session: UInt64)
  /// The game asked for what could not be done as it was. Told a few times a tick; all are counted.
  case fault(GameFault)
}

/// A change in how many seats an address is charged with.
package struct SeatCharge: Equatable, Sendable {
  package let address: AddressKey
  /// Seats whose players are here, and seats whose players are away.
  package let present: Int
  package let absent: Int

  init(_ address: AddressKey, present: Int, absent: Int) {
    self.address = address
    self.present = present
    self.absent = absent
  }
}

/// Counts of a room, for the ledger and metrics; they only grow.
package struct RoomCounters: Equatable, Sendable {
  package var ticks: UInt64 = 0
  package var frames: UInt64 = 0
  package var frameBytes: UInt64 = 0
  package var keyframes: UInt64 = 0
  package var inputs: UInt64 = 0
  /// Entries for entities that were gone or not the client's.
  package var inputsIgnored: UInt64 = 0
  /// Inputs left out because newer ones had come by their tick.
  package var inputsDropped: UInt64 = 0
  package var events: UInt64 = 0
  package var eventsRefused: UInt64 = 0
  package var whispersLost: UInt64 = 0
  package var skips: UInt64 = 0
  package var joins: UInt64 = 0
  package var resumes: UInt64 = 0
  package var leaves: UInt64 = 0
  /// Absent seats that made way for newcomers; leaves as well.
  package var seatsYielded: UInt64 = 0
  /// What games asked for and could not have as it was.
  package var gameFaults: [GameFault.Cause: UInt64] = [:]

  package init() {}

  /// Adds another room's counts.
  package mutating func add(_ other: RoomCounters) {
    ticks += other.ticks
    frames += other.frames
    frameBytes += other.frameBytes
    keyframes += other.keyframes
    inputs += other.inputs
    inputsIgnored += other.inputsIgnored
    inputsDropped += other.inputsDropped
    events += other.events
    eventsRefused += other.eventsRefused
    whispersLost += other.whispersLost
    skips += other.skips
    joins += other.joins
    resumes += other.resumes
    leaves += other.leaves
    seatsYielded += other.seatsYielded
    gameFaults.merge(other.gameFaults, uniquingKeysWith: +)
  }
}
