/// A queue in one array that is reused in a circle: it allocates only to grow.
struct Ring<Element> {
  private var slots: [Element?]
  private var head = 0
  private(set) var count = 0

  init(reserving capacity: Int = 0) {
    slots = Array(repeating: nil, count: capacity)
  }

  var isEmpty: Bool { count == 0 }

  var first: Element? { count == 0 ? nil : slots[head] }

  /// Element `offset` places behind the first.
  subscript(offset: Int) -> Element {
    precondition(offset >= 0 && offset < count, "offset \(offset) of a queue of \(count)")
    guard let element = slots[(head + offset) % slots.count] else { preconditionFailure("a hole in a queue") }
    return element
  }

  mutating func append(_ element: Element) {
    if count == slots.count { grow() }
    slots[(head + count) % slots.count] = element
    count += 1
  }

  mutating func popFirst() -> Element? {
    guard count > 0 else { return nil }
    let element = slots[head]
    slots[head] = nil
    head = (head + 1) % slots.count
    count -= 1
    return element
  }

  private mutating func grow() {
    var larger: [Element?] = Array(repeating: nil, count: max(4, slots.count * 2))
    for offset in 0..<count { larger[offset] = slots[(head + offset) % slots.count] }
    slots = larger
    head = 0
  }
}
