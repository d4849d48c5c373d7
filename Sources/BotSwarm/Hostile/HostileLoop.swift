import EventLoop

/// All hostile bots, on a loop of their own: what they do must not make the healthy bots' figures worse but through the
/// server. Confined to its thread; the run talks to it through a mailbox.
final class HostileLoop {
  /// What the run asks for.
  enum Command: Sendable {
    /// Misbehave, until `rest`.
    case begin
    /// Drop every connection and wait.
    case rest
    /// What healthy bots receive on average.
    case traffic(bytesPerMemberSecond: Double)
    case sample
    case finish
  }

  /// What it gets.
  enum Notice: Sendable {
    case sampled(HostileStatus)
    case finished(HostileStatus)
  }

  private static let turnMilliseconds: UInt64 = 20

  private let surroundings: HostileSurroundings
  private let bots: [HostileBot]
  private let tell: @Sendable (Notice) -> Void

  init(
    plan: SwarmPlan, hostile: HostilePlan, loop: Loop, tell: @escaping @Sendable (Notice) -> Void
  ) throws(LoopError) {
    self.tell = tell
    let surroundings = HostileSurroundings(plan, hostile, loop)
    self.surroundings = surroundings
    var bots: [HostileBot] = []
    for (kind, count) in hostile.mix.counts {
      surroundings.tallies[kind] = HostileTally()
      for index in 0..<count { bots.append(kind.makeBot(index: index, surroundings)) }
    }
    self.bots = bots
    try Timer(loop: loop) { [unowned self] in turn() }.start(everyMilliseconds: Self.turnMilliseconds)
  }

  func handle(_ command: Command) {
    switch command {
    case .begin: for bot in bots { bot.resume() }
    case .rest: for bot in bots { bot.pause() }
    case .traffic(let bytes): surroundings.bytesPerMemberSecond = bytes
    case .sample: tell(.sampled(status))
    case .finish:
      for bot in bots { bot.pause() }
      tell(.finished(status))
      surroundings.loop.stop()
    }
  }

  private func turn() {
    let now = LoopMeasures.now()
    surroundings.advance(to: now)
    for bot in bots { bot.pump(now: now) }
  }

  private var status: HostileStatus {
    var status = HostileStatus()
    status.alive = bots.count { $0.isAlive }
    status.tallies = surroundings.tallies
    let hops = surroundings.hostile.hops.map { $0 * surroundings.hostile.bots(.hop) }
    status.workLeft = (surroundings.cyclesLeft ?? 0) + max(0, (hops ?? 0) - (status.tallies[.hop]?.hops ?? 0))
    return status
  }
}
