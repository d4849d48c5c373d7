/// Connects and says nothing.
final class SilentBot: HostileBot {
  override func begin() { link() }

  override func connected(_ link: HostileLink) {
    act(
      expecting: ["handshakeTimeout"],
      withinSeconds: surroundings.hostile.limits.handshakeSeconds + Self.marginSeconds)
  }
}
