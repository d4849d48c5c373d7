import WireFormat

/// Which inputs of a seat are applied, and what its player is told of it.
///
/// Inputs carry absolute values: of what has piled up, the newest count. In one tick a member has a number of them applied, in
/// order, and older surplus is dropped: whoever's network or server stood still goes on from where it is now, and whoever
/// floods drops its own.
struct InputTurn {
  /// What is to be done with an input.
  enum Verdict {
    case apply
    /// In the next tick.
    case wait
    case drop
  }

  /// An input of so many entries counts as one; one with more counts as several.
  static let entriesPerUnit = 16

  /// Sequence of the last input applied; the next one must be higher.
  private(set) var last: UInt32?
  /// Inputs dropped so far.
  private(set) var dropped: UInt32 = 0
  /// From here on all were applied; nil after one that was not.
  private var firstApplied: UInt32?
  private var tick = Tick(0)
  /// Units applied in ``tick``.
  private var used = 0

  /// What an input counts as, by what it says of itself.
  static func units(_ body: Span<UInt8>) -> Int {
    max(1, (InputReader.entryCount(body) + entriesPerUnit - 1) / entriesPerUnit)
  }

  /// Decides about an input whose turn it is.
  ///
  /// - Parameters:
  ///   - units: its own.
  ///   - behind: units of the member's inputs that wait behind it for the same tick.
  ///   - isTakenIn: it was read within the tick: what comes behind it is not known yet.
  mutating func verdict(units: Int, behind: Int, isTakenIn: Bool, tick now: Tick, limit: Int) -> Verdict {
    if tick != now { (tick, used) = (now, 0) }
    if isTakenIn {
      // Any number of units is allowed for the first: it would never have its turn.
      guard used == 0 || used + units <= limit else { return .wait }
    } else if behind > 0, units + behind > limit {
      return .drop
    }
    used += units
    return .apply
  }

  mutating func drop() {
    dropped += 1
    firstApplied = nil
  }

  mutating func apply(_ sequence: UInt32) {
    last = sequence
    if firstApplied == nil { firstApplied = sequence }
  }

  /// What to tell the player; nil before the first input.
  var ack: InputAck? {
    last.map { InputAck(sequence: $0, dropped: dropped, firstApplied: firstApplied ?? $0) }
  }
}
