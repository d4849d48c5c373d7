/// Hops from room to room as fast as the ticks allow: each hop costs a keyframe, so the server must end it.
final class JoinFloodBot: HopBot {
  /// Twenty joins at once and a few a second are what the server allows by default.
  private static let floodSeconds = 10.0

  override var isDone: Bool { false }
  override var rate: Double? { nil }

  override func act() { act(expecting: ["rateLimited"], withinSeconds: Self.floodSeconds) }

  /// A full room is no reason to wait.
  override func refused(_ link: HostileLink, _ reason: String) {
    tally { $0.refused[reason, default: 0] += 1 }
    hop(link)
  }
}
