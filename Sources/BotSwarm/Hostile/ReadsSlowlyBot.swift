import EventLoop
import WireFormat

/// Reads one byte a second: always some progress, and never enough.
final class ReadsSlowlyBot: StallingBot {
  private static let byteMicroseconds: UInt64 = 1_000_000

  private var nextByte: UInt64 = 0

  /// Progress puts the stall deadline off, so the deadline for catching up must end it.
  override var stuckSeconds: Double {
    max(surroundings.hostile.limits.stallSeconds, surroundings.hostile.limits.lagSeconds)
  }

  override func turn(now: UInt64) {
    super.turn(now: now)
    guard let link = links.first, !link.isReading, now >= nextByte, let descriptor = link.stream?.descriptor,
      let byte = HostileSocket.readByte(descriptor)
    else { return }
    nextByte = now + Self.byteMicroseconds
    let bytes = [byte]
    link.take(bytes.span)
  }
}
