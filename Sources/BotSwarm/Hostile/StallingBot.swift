import WireFormat

/// A bot that takes a seat in a room of healthy bots and stops reading: what it is meant to get first fills the
/// kernel's buffers, and only then is the server kept waiting. When that is, is known from what healthy bots receive.
class StallingBot: HostileBot {
  /// A sign of life a second, so that only the limits on slow members can end it.
  private static let signMicroseconds: UInt64 = 1_000_000

  /// The server has to end it within this time from when it was first kept waiting.
  var stuckSeconds: Double { surroundings.hostile.limits.stallSeconds }
  var showsLife: Bool { true }
  var rightEnds: Set<String> { ["slowConsumer", "peerClosed", "peerReset"] }
  /// By when it must be ended even if the server was never kept waiting.
  var mostSeconds: Double? { nil }
  private var stoppedAt: UInt64 = 0
  private var memberBytesAtStop = 0.0
  private var isFull = false
  private var nextSign: UInt64 = 0

  /// Bytes meant for it since it stopped reading.
  var missedBytes: Double { surroundings.memberBytes - memberBytesAtStop }
  var stoppedSeconds: Double { Double(LoopMeasures.now() - stoppedAt) / 1_000_000 }

  /// The kernel holds at most this for a peer that reads nothing: the server's send buffer and our receive buffer, each
  /// of which Linux makes twice as large as asked for.
  var bufferBytes: Double {
    Double(2 * (surroundings.hostile.limits.sendBufferBytes + HostileSocket.tinyBufferBytes))
  }

  override func begin() {
    client(joining: surroundings.healthyRoom(index), receiveBufferBytes: HostileSocket.tinyBufferBytes)
  }

  override func joined(_ link: HostileLink) {
    link.stopReading()
    stoppedAt = LoopMeasures.now()
    memberBytesAtStop = surroundings.memberBytes
    isFull = false
    act(expecting: rightEnds, withinSeconds: mostSeconds)
  }

  override func turn(now: UInt64) {
    guard let link = links.first, !link.isReading else { return }
    if showsLife, now >= nextSign {
      nextSign = now + Self.signMicroseconds
      link.send(encodedBytes(bound: 32) { Pong(token: 0, timeMicroseconds: now).encode(into: &$0) })
    }
    guard !isFull, missedBytes > bufferBytes else { return }
    isFull = true
    stuck(since: now)
  }

  /// From now on the server is kept waiting, if it was not before.
  func stuck(since now: UInt64) { expectWithin(seconds: stuckSeconds + Self.marginSeconds, from: now) }
}
