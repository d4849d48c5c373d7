import ClientCore
import WireFormat

/// Frames that were due and did not come.
///
/// A server that stands still for three seconds sends no late frame: it goes on with the tick that is due then. Counting
/// only what arrives would not see it. So when the next frame comes (or the window ends), each tick left out counts with
/// its age, as if its frame had come now. Left out is a tick
///
/// - that was due while an input of the room, or a bot that had lost its connection, waited for an answer: a tick later
///   at the latest there was something to send;
/// - or else one a second: so often at least a room sends a frame, when nothing happens in it.
enum OverdueFrames {
  /// Older ones are counted as that old.
  private static let longestSeconds: UInt64 = 60
  /// Between two frames of a silent room, in microseconds; a little more than the second it is.
  private static let silenceMicroseconds: UInt64 = 1_100_000

  /// Calls `body` with the age of each, in microseconds. All times are local.
  ///
  /// - Parameters:
  ///   - last: The last frame's tick, and when it came.
  ///   - next: The first tick that is not left out.
  ///   - waitsSince: Since when something waited; nil when nothing did.
  ///   - windowStart: Ticks due earlier do not count.
  static func forEach(
    after last: (tick: Tick, at: UInt64), before next: UInt32, now: UInt64, waitsSince: UInt64?, windowStart: UInt64,
    in room: RoomTimes, _ body: (UInt64) -> Void
  ) {
    guard let waitsSince else {
      var due = last.at + silenceMicroseconds
      while due < now {
        if due >= windowStart { body(now - due) }
        due += silenceMicroseconds
      }
      return
    }
    // What was sent at a moment is in the tick after it at the latest.
    let since = max(waitsSince + room.roundTripMicroseconds + room.tickMicroseconds, windowStart)
    let oldest = now > longestSeconds * 1_000_000 ? now - longestSeconds * 1_000_000 : 0
    var tick = max(last.tick.rawValue + 1, room.firstTick(dueAt: max(since, oldest)))
    while tick < next {
      let due = room.due(tick)
      if due >= now { break }
      body(now - due)
      tick += 1
    }
  }

  /// A room's ticks on the local clock.
  struct RoomTimes {
    /// Local time of tick 0; negative when the room is older than this clock.
    let start: Int64
    let tickRate: UInt32
    let roundTripMicroseconds: UInt64

    var tickMicroseconds: UInt64 { 1_000_000 / UInt64(max(1, tickRate)) }

    func due(_ tick: UInt32) -> UInt64 {
      UInt64(max(0, start + Int64(tick) * 1_000_000 / Int64(max(1, tickRate))))
    }

    /// The first tick that is due then or later.
    func firstTick(dueAt time: UInt64) -> UInt32 {
      let elapsed = max(0, Int64(clamping: time) - start)
      return UInt32(clamping: (elapsed * Int64(max(1, tickRate)) + 999_999) / 1_000_000)
    }
  }
}
