import CPrefetch
package import WireFormat

/// What came in since the last tick, in arrival order. The bytes lie in one array that is used again every tick.
struct Inbox {
  enum Entry {
    /// What ``take(_:)`` leaves.
    case none
    case join(JoinRequest)
    case message(Delivery, MessageType, Range<Int>)
    case away(Seat)
    case back(Seat)
  }

  struct Item {
    var entry: Entry
    /// Where the sender of a message and its seat lie, to be fetched before their turn; never followed.
    let sender: UnsafeRawPointer?
    let seat: UnsafeRawPointer?
  }

  private(set) var items: [Item] = []
  private(set) var bytes: [UInt8] = []
  /// Joins among the items.
  private(set) var joins = 0
  /// What its events may take of a frame.
  private(set) var eventBytes = 0

  /// Bytes that a message takes here: empty ones are not free, or a client could fill the memory with them.
  static func cost(_ body: Span<UInt8>) -> Int { MemoryLayout<Item>.stride + body.count }

  /// What all its messages take, as ``cost(_:)`` counts.
  var messageBytes: Int {
    items.reduce(0) { sum, item in
      if case .message(_, _, let range) = item.entry { sum + MemoryLayout<Item>.stride + range.count } else { sum }
    }
  }

  var isEmpty: Bool { items.isEmpty }

  mutating func append(_ entry: Entry) {
    if case .join = entry { joins += 1 }
    items.append(Item(entry: entry, sender: nil, seat: nil))
  }

  mutating func append(_ type: MessageType, _ body: Span<UInt8>, from delivery: Delivery) {
    let start = bytes.count
    if type == .event { eventBytes += EventShares.bytes(of: body) }
    body.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
    items.append(
      Item(
        entry: .message(delivery, type, start..<bytes.count),
        sender: UnsafeRawPointer(Unmanaged.passUnretained(delivery).toOpaque()),
        seat: delivery.seatReference.map { UnsafeRawPointer($0.toOpaque()) }))
  }

  /// Moves an entry out: what it refers to is counted once less often than if it were looked at and removed later.
  mutating func take(_ index: Int) -> Entry {
    var entry = Entry.none
    swap(&entry, &items[index].entry)
    return entry
  }

  /// Fetches what the message at `index`, if there is one, will need. Since it was read the tick has touched all else.
  func fetchAhead(_ index: Int) {
    guard index < items.count else { return }
    prefetch_all_for_write(items[index].sender, UInt(Delivery.lookedAtBytes))
    prefetch_all_for_write(items[index].seat, UInt(Seat.lookedAtBytes))
  }

  /// Most bytes that each of the two arrays keeps for the next tick, so that a steady tick allocates nothing and a flood
  /// leaves nothing behind: two inputs of each player with some fields.
  static func keptBytes(players: Int) -> Int { 8 * 1024 + players * 2 * MemoryLayout<Item>.stride }

  mutating func clear(keeping mostBytes: Int) {
    joins = 0
    eventBytes = 0
    items.removeAll(keepingCapacity: items.capacity * MemoryLayout<Item>.stride <= mostBytes)
    bytes.removeAll(keepingCapacity: bytes.capacity <= mostBytes)
  }
}

/// A connection that wants a seat.
package struct JoinRequest {
  package let delivery: Delivery
  package let session: UInt64
  package let join: Join

  package init(delivery: Delivery, session: UInt64, join: Join) {
    self.delivery = delivery
    self.session = session
    self.join = join
  }
}
