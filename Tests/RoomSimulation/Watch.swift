import RoomEngine
import RoomTestKit

/// 3: how long a connection has been stuck or behind, seen from the network's side and not from the engine's books.
struct Watch {
  private var bytesTaken = 0
  private var timesCaughtUp = 0
  private var stuckSince: Instant?
  private var behindSince: Instant?
  /// Something left while it had no seat: the room notices that at its first look.
  private var hasUnseenProgress = false

  /// After a tick.
  mutating func look(at connection: SimulatedConnection, in room: SimulatedRoom, now: Instant) -> String? {
    if let fault = silence(of: connection, room.deadlines, now: now) { return fault }
    defer { (bytesTaken, timesCaughtUp) = (connection.bytesTaken, connection.timesCaughtUp) }
    guard connection.isBlocked else {
      (stuckSince, behindSince, hasUnseenProgress) = (nil, nil, false)
      return nil
    }
    let hasSeat = connection.delivery.seat != nil
    if connection.bytesTaken != bytesTaken { (stuckSince, hasUnseenProgress) = (nil, !hasSeat) }
    if hasSeat, hasUnseenProgress { (stuckSince, hasUnseenProgress) = (nil, false) }
    // What blocks now is a new lag.
    if connection.timesCaughtUp != timesCaughtUp { behindSince = nil }
    let (stuck, behind) = (stuckSince ?? now, behindSince ?? now)
    (stuckSince, behindSince) = (stuck, behind)
    // Who has no seat has the handshake deadline.
    guard hasSeat else { return nil }
    let (kind, limits) = (room.room.kind, room.room.kind.limits)
    // What left after a tick is noticed in the next.
    if now.nanoseconds(since: stuck) > limits.stallDeadline.wholeNanoseconds + kind.tickNanoseconds + 1 {
      return "took nothing for longer than \(limits.stallDeadline), and is still here"
    }
    if now.nanoseconds(since: behind) > limits.lagDeadline.wholeNanoseconds {
      return "was behind for longer than \(limits.lagDeadline), and is still here"
    }
    return nil
  }

  private func silence(
    of connection: SimulatedConnection, _ deadlines: SimulatedDeadlines?, now: Instant
  ) -> String? {
    guard let deadlines, !connection.hasEnded else { return nil }
    if now.nanoseconds(since: connection.heardAt) > deadlines.idle.wholeNanoseconds {
      return "said nothing for longer than \(deadlines.idle), and is still here"
    }
    if connection.isRoomless, now.nanoseconds(since: connection.roomlessSince) > deadlines.handshake.wholeNanoseconds {
      return "was in no room for longer than \(deadlines.handshake), and is still here"
    }
    return nil
  }
}
