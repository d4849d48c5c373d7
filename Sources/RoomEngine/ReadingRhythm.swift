/// Whether what a member sends is read as it comes, or once a tick, right before the tick.
///
/// Who speaks in every tick is read at the ticks: what it says has no effect before the next one anyway, and a server that
/// is not told of each input by itself has a third less to do for it. Who speaks now and then is read as its bytes come: to
/// look in vain costs too. A Ping is the only message whose answer does not wait for a tick, so who pings is read as its bytes
/// come for a while, too: what it asks next has its answer at once.
package struct ReadingRhythm: Equatable, Sendable {
  /// So many ticks in a row must each have had bytes before a member is read at ticks.
  package static let ticksToBegin: UInt8 = 4
  /// So many looks in a row that found nothing end it.
  package static let looksToEnd: UInt8 = 4

  package private(set) var isAtTicks = false
  /// Ticks that the room had run when bytes last came by themselves.
  private var heardAfter: UInt64?
  private var streak: UInt8 = 0
  private var vain: UInt8 = 0
  /// Bytes came by themselves since the last look, which then finds nothing though the member has spoken.
  private var hasSpoken = false

  package init() {}

  /// Bytes came by themselves.
  ///
  /// - Parameter ticks: how many the room has run. Not the number of the last: those that came too late are left out.
  /// - Returns: whether the member is to be read at ticks from now on.
  package mutating func heard(after ticks: UInt64) -> Bool {
    vain = 0
    hasSpoken = true
    guard !isAtTicks, heardAfter != ticks else { return false }
    streak = heardAfter == ticks &- 1 ? streak + 1 : 1
    heardAfter = ticks
    isAtTicks = streak == Self.ticksToBegin
    return isAtTicks
  }

  /// The look before a tick found bytes.
  package mutating func found() {
    vain = 0
    hasSpoken = false
  }

  /// The look before a tick found nothing.
  ///
  /// - Returns: whether the member is to be read as its bytes come from now on.
  package mutating func foundNothing() -> Bool {
    if !hasSpoken { vain += 1 }
    hasSpoken = false
    guard vain >= Self.looksToEnd else { return false }
    rest()
    return true
  }

  /// The member is read as its bytes come from now on, until it has spoken in enough ticks anew.
  package mutating func rest() { self = ReadingRhythm() }
}
