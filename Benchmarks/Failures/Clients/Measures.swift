import BotSwarm
import EventLoop

/// What the clients of a process hear, together. Confined to their loop.
final class Measures {
  /// Of the healthy clients, in the second under way.
  var latency = Distribution()
  var messages = 0
  var updates = 0
  var bytes = 0
  /// Updates of all clients that went to the socket, and that did not as the server took no more.
  var sent = 0
  var heldBack = 0
  /// When each client's update was sent, by its number modulo ``Walk/steps``; 0 for never. All clients are here, so one
  /// clock serves.
  private var sentAt: [[UInt64]]
  /// The senders whose updates count.
  private let counted: Range<Int>

  init(clients: Int, counted: Range<Int>) {
    self.counted = counted
    sentAt = Array(repeating: Array(repeating: 0, count: Int(Walk.steps)), count: clients)
  }

  /// Microseconds on the clock that all of this process counts in.
  static func now() -> UInt64 { Loop.clock().nanoseconds / 1_000 }

  func didSend(_ number: UInt32, of sender: Int, now: UInt64) {
    sent += 1
    sentAt[sender][Int(number % Walk.steps)] = now
  }

  /// Counts an update that a healthy client has heard.
  ///
  /// - Returns: whether it counts.
  func heard(_ number: UInt32, of sender: Int, now: UInt64) -> Bool {
    guard counted.contains(sender) else { return false }
    let sent = sentAt[sender][Int(number % Walk.steps)]
    // The state before the first update shows a number too.
    guard sent > 0 else { return false }
    updates += 1
    latency.record(microseconds: now - sent)
    return true
  }

  func startSecond() {
    latency.reset()
    (messages, updates, bytes, sent, heldBack) = (0, 0, 0, 0, 0)
  }
}
