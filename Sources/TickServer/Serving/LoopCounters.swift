import Logging
import RoomEngine
import WireFormat

/// What happened on a loop since it began; they only grow.
struct LoopCounters {
  var accepted: UInt64 = 0
  var closed: [CloseReason: UInt64] = [:]
  var movedAway: UInt64 = 0
  var movedHere: UInt64 = 0
  var roomsOpened: UInt64 = 0
  var roomsClosed: UInt64 = 0
  var ticks: UInt64 = 0
  /// Ticks that were skipped because they came later than the next was due.
  var missedTicks: UInt64 = 0
  var worstLatenessNanoseconds: UInt64 = 0
  /// Of the rooms that are closed.
  private var rooms = RoomCounters()

  mutating func lateness(_ nanoseconds: UInt64, missed: UInt64) {
    ticks += 1
    missedTicks += missed
    worstLatenessNanoseconds = max(worstLatenessNanoseconds, nanoseconds)
  }

  mutating func add(_ room: RoomCounters) {
    rooms.add(room)
  }

  var summary: Logger.Metadata {
    let reasons = closed.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.key.name)=\($0.value)" }
    return [
      "accepted": "\(accepted)", "closed": "\(reasons.joined(separator: " "))", "moved": "\(movedHere)",
      "rooms": "\(roomsOpened)", "ticks": "\(ticks)", "missedTicks": "\(missedTicks)",
      "worstLatenessMicroseconds": "\(worstLatenessNanoseconds / 1000)", "frames": "\(rooms.frames)",
      "frameBytes": "\(rooms.frameBytes)", "keyframes": "\(rooms.keyframes)", "inputs": "\(rooms.inputs)",
      "skips": "\(rooms.skips)", "resumes": "\(rooms.resumes)",
    ]
  }
}
