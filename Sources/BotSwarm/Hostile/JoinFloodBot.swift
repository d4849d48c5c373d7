/// Hops from room to room as fast as the ticks allow: each hop costs a keyframe, so the server must slow it down.
final class JoinFloodBot: HopBot {
  override var isDone: Bool { false }
  override var rate: Double? { nil }

  override func act() { act(expecting: [Self.slowed], withinSeconds: Self.floodSeconds) }

  override func deadlinePassed() { judge(Self.slowed) }

  /// A full room is no reason to wait.
  override func refused(_ link: HostileLink, _ reason: String) {
    tally { $0.refused[reason, default: 0] += 1 }
    hop(link)
  }
}
