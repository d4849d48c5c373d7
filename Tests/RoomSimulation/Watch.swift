import RoomEngine
import RoomTestKit

/// 3: how long a connection has been stuck or behind, seen from the network's side and not from the engine's books.
struct Watch {
  private var bytesTaken = 0
  private var timesCaughtUp = 0
  private var stuckSince: Instant?
  private var behindSince: Instant?

  /// After a tick.
  mutating func look(at connection: SimulatedConnection, _ kind: RoomKind, now: Instant) -> String? {
    defer { (bytesTaken, timesCaughtUp) = (connection.bytesTaken, connection.timesCaughtUp) }
    guard connection.isBlocked else {
      (stuckSince, behindSince) = (nil, nil)
      return nil
    }
    if connection.bytesTaken != bytesTaken { stuckSince = nil }
    // What blocks now is a new lag.
    if connection.timesCaughtUp != timesCaughtUp { behindSince = nil }
    let (stuck, behind) = (stuckSince ?? now, behindSince ?? now)
    (stuckSince, behindSince) = (stuck, behind)
    // Deadlines of those without a seat are the shell's.
    guard connection.delivery.seat != nil else { return nil }
    let limits = kind.limits
    // What left after a tick is noticed in the next.
    if now.nanoseconds(since: stuck) > limits.stallDeadline.wholeNanoseconds + kind.tickNanoseconds + 1 {
      return "took nothing for longer than \(limits.stallDeadline), and is still here"
    }
    if now.nanoseconds(since: behind) > limits.lagDeadline.wholeNanoseconds {
      return "was behind for longer than \(limits.lagDeadline), and is still here"
    }
    return nil
  }
}
