package import WireFormat

/// What came in since the last tick, in arrival order. The bytes lie in one array that is used again every tick.
struct Inbox {
  enum Item {
    /// What ``take(_:)`` leaves.
    case none
    case join(JoinRequest)
    case message(Delivery, MessageType, Range<Int>)
    case away(Seat)
    case back(Seat)
  }

  private(set) var items: [Item] = []
  private(set) var bytes: [UInt8] = []

  /// Bytes that a message takes here: empty ones are not free, or a client could fill the memory with them.
  static func cost(_ body: Span<UInt8>) -> Int { MemoryLayout<Item>.stride + body.count }

  /// What all its messages take, as ``cost(_:)`` counts.
  var messageBytes: Int {
    items.reduce(0) { sum, item in
      if case .message(_, _, let range) = item { sum + MemoryLayout<Item>.stride + range.count } else { sum }
    }
  }

  var isEmpty: Bool { items.isEmpty }

  mutating func append(_ item: Item) {
    items.append(item)
  }

  mutating func append(_ type: MessageType, _ body: Span<UInt8>, from delivery: Delivery) {
    let start = bytes.count
    body.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
    items.append(.message(delivery, type, start..<bytes.count))
  }

  /// Moves an item out: it is counted once less often than if it were looked at and removed later.
  mutating func take(_ index: Int) -> Item {
    var item = Item.none
    swap(&item, &items[index])
    return item
  }

  /// Most bytes that each of the two arrays keeps for the next tick, so that a steady tick allocates nothing and a flood
  /// leaves nothing behind: two inputs of each player with some fields.
  static func keptBytes(players: Int) -> Int { 8 * 1024 + players * 2 * MemoryLayout<Item>.stride }

  mutating func clear(keeping mostBytes: Int) {
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
