/// Messages that wait for a subscriber, oldest first, each with bytes of its own.
struct MessageQueue {
  private var items: [[UInt8]] = []
  private var first = 0
  private(set) var bytes = 0

  var count: Int { items.count - first }

  mutating func append(_ message: [UInt8]) {
    items.append(message)
    bytes += message.count
  }

  mutating func popFirst() -> [UInt8]? {
    guard first < items.count else { return nil }
    let message = items[first]
    // Without it the queue would keep what it has handed out.
    items[first] = []
    first += 1
    bytes -= message.count
    if first > 64, first > items.count / 2 {
      items.removeFirst(first)
      first = 0
    }
    return message
  }
}
