import ClientCore
import EventLoop
import WireFormat

/// What the bots of one loop measured. Confined to the loop.
final class LoopMeasures {
  var totals = SwarmTotals()
  /// Of the second under way.
  var latency = Distribution()
  var frames = 0
  var joins = 0
  var bytesReceived = 0
  var bytesSent = 0
  var connected = 0
  var joined = 0
  var tickRate: UInt32 = 0
  /// Only within a window frames count for rates and latency.
  private(set) var window: MeasuredWindow.Kind?
  private var windowStart: UInt64 = 0
  private var windowLatency = Distribution()
  /// By the round trips of all bots of the loop.
  var serverClock = ClockBounds()

  /// Now, in the microseconds that all of the swarm counts in.
  static func now() -> UInt64 { Loop.clock().nanoseconds / 1_000 }

  var isSteady: Bool { window == .steady }

  func begin(_ window: MeasuredWindow.Kind) {
    self.window = window
    windowStart = Self.now()
    windowLatency.reset()
  }

  /// Ends the window, and returns its latency.
  func endWindow() -> Distribution {
    if isSteady { totals.frameLatency.add(windowLatency) }
    window = nil
    return windowLatency
  }

  /// - Parameter dueMicroseconds: When the frame's tick was due, on the server's clock.
  func recordFrame(dueMicroseconds due: UInt64, receivedMicroseconds now: UInt64) {
    frames += 1
    guard let clockOffset = serverClock.offsetMicroseconds else { return }
    // The estimate is a little off: a frame that seems to come early came at once.
    let late = max(0, Int64(bitPattern: now) + clockOffset - Int64(bitPattern: due))
    record(late: UInt64(late))
  }

  private func record(late microseconds: UInt64) {
    latency.record(microseconds: microseconds)
    if window != nil { windowLatency.record(microseconds: microseconds) }
  }

  /// The frames between two, or before the end of the window, that were due: see ``OverdueFrames``.
  func recordOverdue(
    after last: (tick: Tick, at: UInt64), before next: UInt32, now: UInt64, waitsSince: UInt64?, _ seat: RoomSeat,
    roundTripMicroseconds roundTrip: UInt64
  ) {
    guard window != nil, let clockOffset = serverClock.offsetMicroseconds else { return }
    let room = OverdueFrames.RoomTimes(
      start: Int64(clamping: seat.startMicroseconds) - clockOffset, tickRate: seat.tickRate,
      roundTripMicroseconds: roundTrip)
    OverdueFrames.forEach(
      after: last, before: next, now: now, waitsSince: waitsSince, windowStart: windowStart, in: room
    ) { age in
      record(late: age)
      if isSteady { totals.framesOverdue += 1 }
    }
  }

  /// What a second counts begins anew.
  func startSecond() {
    latency.reset()
    (frames, joins, bytesReceived, bytesSent) = (0, 0, 0, 0)
  }

  func note(_ text: String) {
    if totals.notes.count < SwarmTotals.mostNotes { totals.notes.append(text) }
  }

  func disconnected(_ reason: String) { totals.disconnects[reason, default: 0] += 1 }
}
