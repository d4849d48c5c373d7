import Logging
import RoomEngine

/// What a loop's rooms did since it began; they only grow. Connections are in the ledger.
struct LoopCounters {
  /// Ticks of rooms.
  private(set) var ticks: UInt64 = 0
  /// Ticks of rooms that were skipped because they came later than the next was due.
  private(set) var missedTicks: UInt64 = 0
  /// From when a room's tick was due to its begin.
  let lateness = TickHistogram()
  /// From the begin of a room's tick to the last write to its members.
  let duration = TickHistogram()
  /// Joins refused, and rooms closed, because memory was short.
  var joinsRefusedForMemory: UInt64 = 0
  var roomsClosedForMemory: UInt64 = 0
  /// Of the rooms that are closed.
  private(set) var rooms = RoomCounters()

  mutating func tick(due: Instant, missed: UInt64, began: Instant, ended: Instant) {
    ticks += 1
    missedTicks += missed
    lateness.record(began.nanoseconds(since: due))
    duration.record(ended.nanoseconds(since: began))
  }

  mutating func add(_ room: RoomCounters) {
    rooms.add(room)
  }

  /// - Parameter rooms: of those that are closed and those that are open.
  func summary(of rooms: RoomCounters) -> Logger.Metadata {
    let (lateness, duration) = (lateness.reading, duration.reading)
    return [
      "ticks": "\(ticks)", "missedTicks": "\(missedTicks)",
      "latenessP50Microseconds": "\(lateness.nanoseconds(atShare: 0.5) / 1000)",
      "latenessP99Microseconds": "\(lateness.nanoseconds(atShare: 0.99) / 1000)",
      "worstLatenessMicroseconds": "\(lateness.worstNanoseconds / 1000)",
      "durationP99Microseconds": "\(duration.nanoseconds(atShare: 0.99) / 1000)", "frames": "\(rooms.frames)",
      "frameBytes": "\(rooms.frameBytes)", "keyframes": "\(rooms.keyframes)", "inputs": "\(rooms.inputs)",
      "skips": "\(rooms.skips)", "resumes": "\(rooms.resumes)",
    ]
  }
}
