import WireFormat

/// Vanishes as a machine without power does: no FIN, no RST, no acknowledgement. After the server's deadline it comes
/// back and sends a byte: a server that has let go answers with a reset.
final class HalfOpenBot: HostileBot {
  private static let answerSeconds = 2.0

  private var lookAt: UInt64?
  private var memberBytesAtStop = 0.0
  private var isFull = false
  private var isLooking = false
  private var limits: HostilePlan.ServerLimits { surroundings.hostile.limits }

  override func begin() {
    (lookAt, isFull, isLooking) = (nil, false, false)
    if round % 2 == 0 { link() } else { client(joining: surroundings.healthyRoom(index)) }
  }

  override func connected(_ link: HostileLink) {
    if link.core == nil { vanish(link, forSeconds: limits.handshakeSeconds) }
  }

  override func joined(_ link: HostileLink) { vanish(link, forSeconds: limits.idleSeconds) }

  private func vanish(_ link: HostileLink, forSeconds seconds: Double) {
    guard link.deafen() else {
      tally { tally in
        tally.note("half-open: socket filters are not allowed here; the socket is kept and not served instead")
      }
      link.stopReading()
      return act(expecting: ["idle", "slowConsumer", "handshakeTimeout", "peerClosed", "peerReset"])
    }
    memberBytesAtStop = surroundings.memberBytes
    act(expecting: ["gone"])
    lookAt = LoopMeasures.now() + UInt64((seconds + Self.marginSeconds) * 1_000_000)
  }

  override func turn(now: UInt64) {
    guard let lookAt, let link = links.first, !isLooking else { return }
    if !isFull, link.core != nil,
      surroundings.memberBytes - memberBytesAtStop > Double(2 * limits.sendBufferBytes)
    {
      isFull = true
      self.lookAt = min(lookAt, now + UInt64((limits.stallSeconds + Self.marginSeconds) * 1_000_000))
    }
    guard now > lookAt else { return }
    isLooking = true
    link.hear()
    link.send(encodedBytes(bound: 32) { Pong(token: 0, timeMicroseconds: now).encode(into: &$0) })
    // A goodbye was said before the bot was back.
    expect(["gone", "idle", "slowConsumer", "handshakeTimeout"], withinSeconds: Self.answerSeconds)
  }

  override func ended(_ link: HostileLink, _ name: String) {
    judge(isLooking && name == "peerReset" ? "gone" : name)
  }
}
