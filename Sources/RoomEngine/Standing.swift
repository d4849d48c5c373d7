/// What a tick looks at and changes of every member: where it stands in the frame log, and whether it waits for anything
/// but the newest frame.
///
/// It belongs to one ``Delivery`` and lies in a ``StandingStore``: read through objects, it would cost each frame more than
/// the rest of its way through user space (decision 14).
@usableFromInline
package struct Standing {
  enum Position {
    case lobby
    /// Gets Joined and a keyframe.
    case joining
    /// Gets Joined (resumed) and the frames after its cursor, or a keyframe.
    case resuming
    case live
    case closed
  }

  /// What a member may have to do besides taking the newest frame; nothing for most, in one look.
  @usableFromInline
  package struct Burdens: OptionSet, Sendable {
    @usableFromInline package let rawValue: UInt8

    @usableFromInline
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Another position than live.
    static let position = Burdens(rawValue: 1)
    /// Its outbox holds something; kept up to date by ``Delivery``.
    static let messages = Burdens(rawValue: 2)
    /// Kept up to date by ``Delivery``.
    static let writeInFlight = Burdens(rawValue: 4)
    static let ack = Burdens(rawValue: 8)
    /// It has not been up to date since some time.
    static let lag = Burdens(rawValue: 16)
    /// Its ``LinkPace`` says when it may get something; kept up to date by ``Delivery``.
    static let paced = Burdens(rawValue: 32)
  }

  /// The shell's handle of the connection.
  @usableFromInline package let tag: Int
  @usableFromInline private(set) var burdens = Burdens.position
  /// Number of the last frame handed over whole, or in flight.
  @usableFromInline var cursor: UInt64 = 0
  /// Number of the last shared reliable event handed over or in flight.
  @usableFromInline var lastEvent: UInt64 = 0
  var position = Position.lobby {
    didSet { note(.position, position != .live) }
  }
  /// Inputs of its seat were dropped: an acknowledgement says more than ``ackDue``.
  var hasDropped = false
  /// Sequence to acknowledge with the next write.
  var ackDue: UInt32? {
    didSet { note(.ack, ackDue != nil) }
  }
  /// Since when the member has not been up to date.
  var behindSince: Instant? {
    didSet { note(.lag, behindSince != nil) }
  }

  init(tag: Int) {
    self.tag = tag
  }

  mutating func note(_ burden: Burdens, _ isThere: Bool) {
    if isThere { burdens.insert(burden) } else { burdens.remove(burden) }
  }
}
