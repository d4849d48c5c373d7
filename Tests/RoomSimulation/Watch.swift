import RoomEngine
import RoomTestKit

/// 3: how long a connection has been stuck or behind, seen from the network's side and not from the engine's books.
struct Watch {
  /// For how many ticks its pipe has taken everything.
  private(set) var clearTicks = 0
  private var bytesTaken = 0
  private var timesCaughtUp = 0
  private var stuckSince: Instant?
  private var behindSince: Instant?
  private var bytesWhenBehind = 0
  private var leastKeyframe = Int.max
  /// Something left while it had no seat: the room notices that at its first look.
  private var hasUnseenProgress = false

  /// After a tick.
  mutating func look(at connection: SimulatedConnection, in room: SimulatedRoom, now: Instant) -> String? {
    if let fault = silence(of: connection, room.deadlines, now: now) { return fault }
    clearTicks = connection.isUnobstructed && !connection.isBlocked ? clearTicks + 1 : 0
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
    if behindSince == nil { (bytesWhenBehind, leastKeyframe) = (connection.bytesTaken, .max) }
    leastKeyframe = min(leastKeyframe, room.room.keyframeBytes ?? 0)
    let (stuck, behind) = (stuckSince ?? now, behindSince ?? now)
    (stuckSince, behindSince) = (stuck, behind)
    // Who has no seat has the handshake deadline.
    guard hasSeat else { return nil }
    let (kind, limits) = (room.room.kind, room.room.kind.limits)
    // What left after a tick is noticed in the next.
    if now.nanoseconds(since: stuck) > limits.stallDeadline.wholeNanoseconds + kind.tickNanoseconds + 1 {
      return "took nothing for longer than \(limits.stallDeadline), and is still here"
    }
    // In twice the time there is one whole window of the engine's.
    let lag = limits.lagDeadline.wholeNanoseconds
    if now.nanoseconds(since: behind) > 2 * (lag + 2 * kind.tickNanoseconds) {
      let taken = connection.bytesTaken - bytesWhenBehind
      if taken < leastKeyframe * Int(lag / 1_000_000) / 2000 {
        return "took \(taken) bytes while it was behind for longer than \(limits.lagDeadline), and is still here"
      }
      behindSince = nil
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
