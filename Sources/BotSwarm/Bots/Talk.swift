import ClientCore
import WireFormat

/// The events, whispers and calls of a bot, and what it has heard of the others: every counter must come once, in
/// order.
struct Talk {
  /// The event code of the swarm's own events, in the range of games. The payload is a counter in four bytes,
  /// little-endian.
  static let code: UInt16 = 40_321
  /// A method that games are not expected to have: "unknown method" is an answer, too.
  static let method: UInt16 = 65_535
  /// A whisper goes with every third event, a call with every fourth.
  static let whisperEvery: UInt32 = 3
  static let callEvery: UInt32 = 4

  var isQuiet = false
  /// Events and whispers raised so far: the next one carries the number after it.
  var raised: UInt32 = 0
  var whispered: UInt32 = 0
  var openCalls = 0
  /// Where the whispers go: always the same bot, so that its counter has no holes.
  var confidant: MovingBot?
  /// The last counter heard, by player.
  private(set) var heard: [UInt32] = []
  private(set) var heardWhispers: [UInt16: UInt32] = [:]
  private let intervalMicroseconds: UInt64
  private let phase: Double
  private var next: UInt64?

  init(interval: Double, seed: UInt64) {
    intervalMicroseconds = UInt64(interval * 1_000_000)
    var random = SplitMix64(seed: seed)
    phase = random.unit()
  }

  /// Whether an event is due; then the next one is set. The first comes within one interval, spread over the bots.
  mutating func isDue(now: UInt64) -> Bool {
    guard intervalMicroseconds > 0, !isQuiet else { return false }
    guard let next else {
      self.next = now + UInt64(phase * Double(intervalMicroseconds))
      return false
    }
    guard now >= next else { return false }
    self.next = next + intervalMicroseconds
    return true
  }

  func lastHeard(from player: PlayerID) -> UInt32 {
    Int(player.rawValue) < heard.count ? heard[Int(player.rawValue)] : 0
  }

  func lastWhisper(from player: PlayerID) -> UInt32 { heardWhispers[player.rawValue, default: 0] }

  mutating func hear(_ counter: UInt32, from player: PlayerID) -> Order {
    while heard.count <= Int(player.rawValue) { heard.append(0) }
    let order = Order(counter, after: heard[Int(player.rawValue)])
    heard[Int(player.rawValue)] = max(heard[Int(player.rawValue)], counter)
    return order
  }

  mutating func hearWhisper(_ counter: UInt32, from player: PlayerID) -> Order {
    let last = heardWhispers[player.rawValue, default: 0]
    heardWhispers[player.rawValue] = max(last, counter)
    return Order(counter, after: last)
  }

  /// How a counter stands to the one before.
  enum Order: Equatable {
    case next
    case again
    case skipping(UInt32)

    init(_ counter: UInt32, after last: UInt32) {
      if counter == last &+ 1 {
        self = .next
      } else if counter <= last {
        self = .again
      } else {
        self = .skipping(counter - last - 1)
      }
    }
  }
}

extension MovingBot {
  func raiseEvents(now: UInt64) {
    // Whoever joins later would miss the first ones.
    guard room.isComplete, talk.isDue(now: now) else { return }
    do throws(ClientMisuse) {
      try core.raise(Talk.code, to: .others, reliably: true, payload: counterBytes(talk.raised + 1).span)
      talk.raised += 1
      measures.totals.eventsRaised += 1
      if talk.raised % Talk.whisperEvery == 0 { try whisper() }
      if talk.raised % Talk.callEvery == 0 {
        _ = try core.call(Talk.method, payload: [UInt8]().span)
        talk.openCalls += 1
        measures.totals.callsMade += 1
      }
    } catch {
      // The output is full: the server does not read. What was not raised is not waited for.
      measures.totals.inputsHeldBack += 1
    }
  }

  private func whisper() throws(ClientMisuse) {
    if talk.confidant == nil { talk.confidant = room.neighbour(of: self) }
    guard let player = talk.confidant?.core.seat?.player, talk.confidant?.state == .joined else { return }
    let payload = counterBytes(talk.whispered + 1)
    try core.raise(Talk.code, to: .one(player), reliably: true, payload: payload.span)
    talk.whispered += 1
  }

  func heard(_ payload: Span<UInt8>, from sender: PlayerID) {
    guard let counter = counter(payload) else { return }
    measures.totals.eventsChecked += 1
    count(talk.hear(counter, from: sender), of: counter, from: sender, &room.doubts)
  }

  func heardWhisper(_ payload: Span<UInt8>, from sender: PlayerID) {
    guard let counter = counter(payload) else { return }
    measures.totals.whispersChecked += 1
    count(talk.hearWhisper(counter, from: sender), of: counter, from: sender, &room.whisperDoubts)
  }

  func answered() {
    talk.openCalls -= 1
    measures.totals.callsAnswered += 1
  }

  private func count(_ order: Talk.Order, of counter: UInt32, from sender: PlayerID, _ doubts: inout Doubts) {
    if !doubts.hear(counter, from: sender) { measures.totals.faults.eventsLost += 1 }
    switch order {
    case .next: break
    case .again: measures.totals.faults.eventsDoubled += 1
    case .skipping(let missing):
      let lost = (counter - missing..<counter).count { !doubts.excuse($0, of: sender) }
      guard lost > 0 else { return }
      measures.totals.faults.eventsOutOfOrder += 1
      measures.totals.faults.eventsLost += lost
    }
  }

  /// The connection is lost: what nobody has heard yet may not have reached the server.
  func doubtWhatIsOnItsWay() {
    guard let player = core.seat?.player else { return }
    let heard = room.bots.map { $0.talk.lastHeard(from: player) }.max() ?? 0
    if heard < talk.raised { room.doubts.add(heard + 1...talk.raised, of: player) }
    let told = talk.confidant?.talk.lastWhisper(from: player) ?? 0
    if told < talk.whispered { room.whisperDoubts.add(told + 1...talk.whispered, of: player) }
  }

  /// Once all was quiet: what this bot should have heard, and did not.
  func settleTalk() {
    guard state == .joined else { return }
    measures.totals.faults.callFaults += max(0, talk.openCalls)
    for other in room.bots where other !== self && other.state == .joined {
      guard let sender = other.core.seat?.player else { continue }
      measures.totals.faults.eventsLost += missing(
        talk.lastHeard(from: sender), other.talk.raised, of: sender, &room.doubts)
      if other.talk.confidant === self {
        measures.totals.faults.eventsLost += missing(
          talk.lastWhisper(from: sender), other.talk.whispered, of: sender, &room.whisperDoubts)
      }
    }
  }

  private func missing(_ heard: UInt32, _ raised: UInt32, of sender: PlayerID, _ doubts: inout Doubts) -> Int {
    guard heard < raised else { return 0 }
    return (heard + 1...raised).count { !doubts.excuse($0, of: sender) }
  }

  private func counter(_ payload: Span<UInt8>) -> UInt32? {
    guard payload.count == 4 else { return nil }
    return (0..<4).reduce(0) { $0 | UInt32(payload[$1]) << UInt32($1 * 8) }
  }

  private func counterBytes(_ counter: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: counter >> UInt32($0 * 8)) }
  }
}
