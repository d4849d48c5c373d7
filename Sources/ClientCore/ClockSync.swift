/// An estimate of the server clock, from the round trip of pings: of the last eight samples the one with the shortest
/// round trip counts, because what a slow one adds is waiting, not distance.
package struct ClockSync: Equatable, Sendable {
  private struct Sample: Equatable, Sendable {
    var roundTrip: UInt64
    /// Server clock minus local clock.
    var offset: Int64
  }

  /// Samples remembered: at a ping a second, clock drift of 100 ppm stays below a millisecond.
  package static let window = 8

  private var samples: [Sample] = []
  private var next = 0
  private var best: Sample?

  package init() { samples.reserveCapacity(Self.window) }

  /// Adds a sample; all times in microseconds.
  ///
  /// - Parameters:
  ///   - sent: local time when the question left.
  ///   - received: local time when the answer came.
  ///   - server: server clock in the answer.
  package mutating func add(sent: UInt64, received: UInt64, server: UInt64) {
    let roundTrip = received >= sent ? received - sent : 0
    let offset = Int64(bitPattern: server &+ roundTrip / 2 &- received)
    if samples.count < Self.window {
      samples.append(Sample(roundTrip: roundTrip, offset: offset))
    } else {
      samples[next] = Sample(roundTrip: roundTrip, offset: offset)
    }
    next = (next + 1) % Self.window
    best = samples.min { $0.roundTrip < $1.roundTrip }
  }

  /// Round trips that are longer than the shortest by this have waited somewhere: for the server's tick, most likely.
  static let waitMicroseconds: UInt64 = 2_000

  /// Whether an answer that took so long is not worth much beside those of the window.
  package func hasWaited(roundTripMicroseconds: UInt64) -> Bool {
    best.map { roundTripMicroseconds > $0.roundTrip + Self.waitMicroseconds } ?? false
  }

  /// Shortest round trip of the window, in microseconds; nil before the first sample.
  package var roundTripMicroseconds: UInt64? { best?.roundTrip }

  /// Server clock minus local clock, in microseconds; nil before the first sample.
  package var offsetMicroseconds: Int64? { best?.offset }

  /// The server clock at a local time, in microseconds; nil before the first sample.
  package func serverTime(at local: UInt64) -> UInt64? {
    best.map { UInt64(bitPattern: Int64(bitPattern: local) &+ $0.offset) }
  }

  /// Forgets what was measured over an older connection.
  package mutating func reset() { self = ClockSync() }
}
