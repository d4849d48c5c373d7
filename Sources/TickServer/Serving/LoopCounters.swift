import Logging
import RoomEngine

/// What a loop's rooms did since it began; they only grow. Connections are in the ledger.
struct LoopCounters {
  var ticks: UInt64 = 0
  /// Ticks that were skipped because they came later than the next was due.
  var missedTicks: UInt64 = 0
  var worstLatenessNanoseconds: UInt64 = 0
  /// Of the rooms that are closed.
  private(set) var rooms = RoomCounters()

  mutating func lateness(_ nanoseconds: UInt64, missed: UInt64) {
    ticks += 1
    missedTicks += missed
    worstLatenessNanoseconds = max(worstLatenessNanoseconds, nanoseconds)
  }

  mutating func add(_ room: RoomCounters) {
    rooms.add(room)
  }

  var summary: Logger.Metadata {
    [
      "ticks": "\(ticks)", "missedTicks": "\(missedTicks)",
      "worstLatenessMicroseconds": "\(worstLatenessNanoseconds / 1000)", "frames": "\(rooms.frames)",
      "frameBytes": "\(rooms.frameBytes)", "keyframes": "\(rooms.keyframes)", "inputs": "\(rooms.inputs)",
      "skips": "\(rooms.skips)", "resumes": "\(rooms.resumes)",
    ]
  }
}
