import ClientCore

/// Joins a room, leaves it, joins the next one, all on one connection. Within the join rate, so that nothing but the
/// hops themselves is tried: the server must not end it.
class HopBot: HostileBot {
  private var hops = 0
  private var hasActed = false
  private var isWaiting = false
  private var nextJoin: UInt64 = 0

  override var isDone: Bool { surroundings.hostile.hops.map { hops >= $0 } ?? false }
  /// Joins a second; nil for as many as the ticks allow.
  var rate: Double? { surroundings.hostile.hopRate }

  override func begin() {
    (hasActed, isWaiting) = (false, false)
    forgetSeat()
    count()
    client(joining: nextRoom)
  }

  func act() { act(expecting: []) }

  /// Healthy bots see it come and go.
  private var nextRoom: String { surroundings.healthyRoom(index &+ hops) }

  private func count() {
    let pause = rate.map { UInt64(1_000_000 / $0) } ?? 0
    nextJoin = LoopMeasures.now() + pause
  }

  override func joined(_ link: HostileLink) {
    if !hasActed { act() }
    hasActed = true
    // Refused only outside of a room.
    try? link.core?.leave()
    link.flushCore()
  }

  override func left(_ link: HostileLink) {
    hops += 1
    tally { $0.hops += 1 }
    if isDone { return endRound() }
    if LoopMeasures.now() >= nextJoin { hop(link) } else { isWaiting = true }
  }

  func hop(_ link: HostileLink) {
    count()
    link.join(nextRoom)
  }

  override func refused(_ link: HostileLink, _ reason: String) {
    tally { $0.refused[reason, default: 0] += 1 }
    (isWaiting, nextJoin) = (true, LoopMeasures.now() + Self.pauseMicroseconds)
  }

  override func turn(now: UInt64) {
    guard isWaiting, now >= nextJoin, let link = links.first, link.core?.phase == .welcomed else { return }
    isWaiting = false
    hop(link)
  }
}
