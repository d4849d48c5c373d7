/// Whether what a member sends is read as it comes, or once a tick, right before the tick.
///
/// Who speaks in every tick is read at the ticks: what it says has no effect before the next one anyway, and a server that
/// is not told of each input by itself has a third less to do for it. Who speaks now and then is read as its bytes come: to
/// look in vain costs too. A Ping is the only message whose answer does not wait for a tick, so who pings is read as its bytes
/// come for a while, too: what it asks next has its answer at once.
package struct ReadingRhythm: Equatable, Sendable {
  /// For so many ticks in a row a member must have sent a message a tick before it is read at them.
  package static let ticksToBegin: UInt8 = 4
  /// So many looks in a row that found nothing end it: a second at 30 Hz. They cost less than to learn anew who speaks in
  /// every tick, after the network or a loop that has all hands full kept everyone waiting.
  package static let looksToEnd: UInt8 = 30

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
  /// Messages count, not reads: a loop that has all hands full reads what several ticks would have needed at once, and
  /// would never learn who speaks in every tick.
  ///
  /// - Parameters:
  ///   - messages: how many there were.
  ///   - ticks: how many the room has run. Not the number of the last: those that came too late are left out.
  /// - Returns: whether the member is to be read at ticks from now on.
  package mutating func heard(_ messages: UInt64, after ticks: UInt64) -> Bool {
    vain = 0
    hasSpoken = true
    guard !isAtTicks else { return false }
    guard let last = heardAfter else {
      (heardAfter, streak) = (ticks, 1)
      return false
    }
    let elapsed = ticks &- last
    guard elapsed > 0 else { return false }
    streak = messages >= elapsed ? streak + UInt8(clamping: min(elapsed, UInt64(Self.ticksToBegin))) : 1
    heardAfter = ticks
    isAtTicks = streak >= Self.ticksToBegin
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
