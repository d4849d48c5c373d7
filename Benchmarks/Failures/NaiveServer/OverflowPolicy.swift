/// What a hub does when a subscriber does not take its messages as fast as they come.
enum OverflowPolicy {
  /// Keeps every one: a queue without a bound.
  case keep
  /// Tears the connection down when its queue exceeds either bound.
  case abort(messages: Int, bytes: Int)
  /// Sets a flag when the queue is full, and does nothing else.
  case flag(messages: Int)

  /// Whether a queue that has grown to this is one too many.
  func isExceeded(messages: Int, bytes: Int) -> Bool {
    switch self {
    case .keep: false
    case .abort(let mostMessages, let mostBytes): messages > mostMessages || bytes > mostBytes
    case .flag(let mostMessages): messages > mostMessages
    }
  }
}
