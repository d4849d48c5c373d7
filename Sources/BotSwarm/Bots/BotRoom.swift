import Glibc
import WireFormat

/// What the bots of one room know together, so that they can be checked against each other. Confined to its loop, which
/// has all of the room's bots.
final class BotRoom {
  /// Ticks remembered: twice the default frame log, so that the slowest live member is still compared.
  static let rememberedTicks = 128

  let name: String
  private(set) var bots: [MovingBot] = []
  /// Every bot of the room is there, or can't come any more: from then on events are raised, so that all must see them
  /// all.
  private(set) var isComplete = false
  let members: Int
  private var settled = 0
  private var ticks = [TickRecord](repeating: TickRecord(), count: rememberedTicks)
  /// The mirror of the bots that share decoding.
  private(set) var mirror: StateMirror?
  private var content = FrameContent()
  /// Of the room's first bot, when bytes are measured.
  var meter: FrameMeter?
  var doubts = Doubts()
  var whisperDoubts = Doubts()
  /// The last time for which an input of any bot waited longer than usual, in local microseconds: bots that send none
  /// know by it that frames were due.
  private(set) var wait: ClosedRange<UInt64> = 0...0

  /// What the first bot to get there found at a tick.
  private struct TickRecord {
    var tick: UInt32?
    var hash: UInt64 = 0
    var changes = 0
    /// The body of the frame, kept for comparison when decoding is shared.
    var body: [UInt8] = []

    func hasBody(_ other: Span<UInt8>) -> Bool {
      guard body.count == other.count else { return false }
      return body.withUnsafeBytes { mine in
        other.withUnsafeBytes { other in
          guard let mine = mine.baseAddress, let base = other.baseAddress else { return true }
          return memcmp(mine, base, other.count) == 0
        }
      }
    }
  }

  /// What came of a comparison.
  enum Comparison {
    /// The first there.
    case first
    case equal
    case different
    /// The tick is so old that nothing is remembered of it.
    case tooLate
  }

  init(name: String, members: Int) {
    self.name = name
    self.members = members
  }

  func add(_ bot: MovingBot) { bots.append(bot) }

  /// A bot has joined, or never will.
  func settle() {
    settled += 1
    isComplete = settled >= members
  }

  /// The bot after this one, the first after the last; nil when it is alone.
  func neighbour(of bot: MovingBot) -> MovingBot? {
    guard bots.count > 1, let position = bots.firstIndex(where: { $0 === bot }) else { return nil }
    return bots[(position + 1) % bots.count]
  }

  /// Bots know their room and the room its bots: parted at the end.
  func removeAll() {
    for bot in bots { bot.talk.confidant = nil }
    bots = []
  }

  /// An input waited that long for its answer.
  func noteWait(from start: UInt64, to end: UInt64) {
    // Of those that overlap it is one wait.
    wait = start <= wait.upperBound ? min(start, wait.lowerBound)...max(end, wait.upperBound) : start...end
  }

  // MARK: Hashes

  /// Compares a bot's state hash with that of the first bot at the tick.
  func compare(_ tick: Tick, hash: UInt64) -> Comparison {
    let slot = Int(tick.rawValue) % Self.rememberedTicks
    guard let known = ticks[slot].tick, known >= tick.rawValue else {
      remember(tick, hash: hash, changes: 0)
      return .first
    }
    guard known == tick.rawValue else { return .tooLate }
    return ticks[slot].hash == hash ? .equal : .different
  }

  /// The hash that the room's first bot had at a tick, if it is still remembered.
  func hash(at tick: Tick) -> UInt64? {
    let record = ticks[Int(tick.rawValue) % Self.rememberedTicks]
    return record.tick == tick.rawValue ? record.hash : nil
  }

  private func remember(_ tick: Tick, hash: UInt64, changes: Int) {
    let slot = Int(tick.rawValue) % Self.rememberedTicks
    ticks[slot].tick = tick.rawValue
    ticks[slot].hash = hash
    ticks[slot].changes = changes
    ticks[slot].body.removeAll(keepingCapacity: true)
  }

  // MARK: Shared decoding

  /// A frame that follows a state equal to the shared mirror's at the tick before.
  ///
  /// The first bot at a tick decodes; for the others equal bytes after an equal state make an equal state. `changes`
  /// counts entities.
  func share(
    _ body: Span<UInt8>, tick: Tick, after previous: Tick
  ) throws(WireError) -> (comparison: Comparison, changes: Int) {
    let slot = Int(tick.rawValue) % Self.rememberedTicks
    if ticks[slot].tick == tick.rawValue {
      let isEqual = ticks[slot].hasBody(body)
      return (isEqual ? .equal : .different, ticks[slot].changes)
    }
    guard mirror?.tick == previous else { return (.tooLate, 0) }
    try mirror?.apply(body, into: &content)
    remember(tick, hash: mirror?.hash ?? 0, changes: content.changed.count)
    body.withUnsafeBytes { ticks[slot].body.append(contentsOf: $0) }
    return (.first, content.changed.count)
  }

  /// Takes over a bot's own mirror when the room has none, or one that no bot moves any more.
  func adopt(_ other: StateMirror) -> Bool {
    guard let tick = other.tick else { return false }
    if let mine = mirror?.tick, mine.rawValue + UInt32(Self.rememberedTicks) > tick.rawValue { return false }
    mirror = other
    remember(tick, hash: other.hash, changes: 0)
    return true
  }
}
