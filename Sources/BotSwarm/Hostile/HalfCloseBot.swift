import WireFormat

/// Stops reading, then half-closes and keeps its socket: after a plain close the server's kernel would keep all that waits
/// for it. Every other round it half-closes before the server's socket is full, so that no write of the server fails.
///
/// What the server's kernel holds no client can see. But it can see whether its own half of the connection is still
/// answered: a server that has let go has sent a reset, or its own end after everything.
final class HalfCloseBot: HostileBot {
  /// Meant for it, of which its own socket takes the least part.
  private static let fewBytes = 8.0 * 1024

  private var memberBytesAtStop = 0.0
  private var hasHalfClosed = false
  private var limits: HostilePlan.ServerLimits { surroundings.hostile.limits }
  private var neededBytes: Double {
    round % 2 == 0 ? Self.fewBytes : Double(limits.sendBufferBytes) / 2
  }

  override func begin() {
    hasHalfClosed = false
    client(joining: surroundings.healthyRoom(index), receiveBufferBytes: HostileSocket.tinyBufferBytes)
  }

  override func joined(_ link: HostileLink) {
    link.stopReading()
    memberBytesAtStop = surroundings.memberBytes
  }

  override func turn(now: UInt64) {
    guard let link = links.first, !link.isReading, !hasHalfClosed else { return }
    guard surroundings.memberBytes - memberBytesAtStop > neededBytes else { return }
    hasHalfClosed = true
    link.halfClose()
    // A server that was kept waiting before that may be about to evict it.
    act(expecting: ["gone"], withinSeconds: limits.stallSeconds + Self.marginSeconds)
  }
}
