import WireFormat

/// Events that a bot raised and that nobody had heard of when its connection was lost: whether they had reached the
/// server is not known, so none of the others need have heard them. But either all have, or none.
struct Doubts {
  private struct Event: Hashable {
    let sender: UInt16
    let counter: UInt32
  }

  private var ranges: [UInt16: [ClosedRange<UInt32>]] = [:]
  private var heard: Set<Event> = []
  private var missed: Set<Event> = []

  mutating func add(_ counters: ClosedRange<UInt32>, of sender: PlayerID) {
    ranges[sender.rawValue, default: []].append(counters)
  }

  private func contains(_ event: Event) -> Bool {
    guard let ranges = ranges[event.sender] else { return false }
    return ranges.contains { $0.contains(event.counter) }
  }

  /// A bot has heard it.
  /// - Returns: false when another one was found to have missed it.
  mutating func hear(_ counter: UInt32, from sender: PlayerID) -> Bool {
    guard !ranges.isEmpty else { return true }
    let event = Event(sender: sender.rawValue, counter: counter)
    guard contains(event) else { return true }
    heard.insert(event)
    return !missed.contains(event)
  }

  /// A bot has not heard it, and heard a later one.
  /// - Returns: Whether it need not have.
  mutating func excuse(_ counter: UInt32, of sender: PlayerID) -> Bool {
    let event = Event(sender: sender.rawValue, counter: counter)
    guard contains(event), !heard.contains(event) else { return false }
    missed.insert(event)
    return true
  }
}
