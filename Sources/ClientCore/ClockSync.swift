/// The server's clock as seen from here, by the round trips of pings: of the last ``window`` samples the one with the
/// shortest round trip counts, because what a slow one adds is waiting, not distance.
///
/// ``serverTime(at:)`` and ``arrivalTime(at:)`` follow that estimate as ``SteadyClock`` says: they never run backwards.
package struct ClockSync: Equatable, Sendable {
  private struct Sample: Equatable, Sendable {
    var roundTrip: UInt64
    /// Server clock minus local clock.
    var offset: Int64
    /// Still true of both clocks. A step of one of them says nothing about the way, so the round trip goes on counting.
    var isCurrent = true

    /// Whether both can be true: each is off by half its round trip at the most.
    func agrees(with other: Sample) -> Bool {
      let (difference, overflows) = offset.subtractingReportingOverflow(other.offset)
      return !overflows
        && difference.magnitude <= roundTrip / 2 + other.roundTrip / 2 + ClockSync.driftMicroseconds
    }
  }

  /// Samples remembered: at a ping a second, clock drift of 100 ppm stays below a millisecond.
  package static let window = 8
  /// What clocks drift apart within a window, and the rounding of its samples.
  static let driftMicroseconds: UInt64 = 2_000

  private var samples: [Sample] = []
  private var next = 0
  /// The shortest round trip.
  private var shortest: UInt64?
  /// The sample with the shortest round trip of those that are current.
  private var best: Sample?
  private var server: SteadyClock?
  private var arrival: SteadyClock?
  /// Whether somebody may read the time: then it is corrected gently.
  private var isRead = true

  package init() { samples.reserveCapacity(Self.window) }

  /// Adds a sample; all times in microseconds.
  ///
  /// - Parameters:
  ///   - sent: local time when the question left.
  ///   - received: local time when the answer came.
  ///   - server: server clock in the answer.
  package mutating func add(sent: UInt64, received: UInt64, server: UInt64) {
    let roundTrip = received >= sent ? received - sent : 0
    let sample = Sample(roundTrip: roundTrip, offset: Int64(bitPattern: server &+ roundTrip / 2 &- received))
    // One of the clocks stood still or was set, a machine that slept for instance: what was true once is no longer.
    if let best, !sample.agrees(with: best) {
      for index in samples.indices { samples[index].isCurrent = false }
    }
    if samples.count < Self.window {
      samples.append(sample)
    } else {
      samples[next] = sample
    }
    next = (next + 1) % Self.window
    shortest = samples.lazy.map(\.roundTrip).min()
    best = samples.lazy.filter(\.isCurrent).min { $0.roundTrip < $1.roundTrip }
    follow(now: received)
  }

  private mutating func follow(now: UInt64) {
    guard let best, let shortest else { return }
    let back = Int64(clamping: shortest / 2)
    if !isRead { (server, arrival) = (nil, nil) }
    Self.aim(&server, at: best.offset, now)
    Self.aim(&arrival, at: best.offset.subtractingReportingOverflow(back).partialValue, now)
  }

  private static func aim(_ clock: inout SteadyClock?, at offset: Int64, _ now: UInt64) {
    if clock == nil { clock = SteadyClock(offsetMicroseconds: offset, now: now) }
    clock?.aim(atOffset: offset, now: now)
  }

  /// From now on the time is read.
  package mutating func beginReading() { isRead = true }

  /// Round trips that are longer than the shortest by this have waited somewhere: for the server's tick, most likely.
  static let waitMicroseconds: UInt64 = 2_000

  /// Whether an answer that took so long is not worth much beside those of the window.
  package func hasWaited(roundTripMicroseconds: UInt64) -> Bool {
    shortest.map { roundTripMicroseconds > $0 + Self.waitMicroseconds } ?? false
  }

  /// Shortest round trip of the window, in microseconds; nil before the first sample.
  package var roundTripMicroseconds: UInt64? { shortest }

  /// Server clock minus local clock by the best sample, in microseconds; nil before the first sample. It steps.
  package var offsetMicroseconds: Int64? { best?.offset }

  /// The server clock at a local time, in microseconds; nil before the first sample.
  package func serverTime(at local: UInt64) -> UInt64? { server?.time(at: local) }

  /// The server clock, in microseconds, at which what arrives at a local time left the server; nil before the first
  /// sample.
  package func arrivalTime(at local: UInt64) -> UInt64? { arrival?.time(at: local) }

  /// Begins anew with another session, whose server may have another clock. Until ``beginReading()`` each estimate takes
  /// the place of the one before at once: the first, of an authentication that took long, may be off by seconds.
  package mutating func reset() {
    self = ClockSync()
    isRead = false
  }
}
