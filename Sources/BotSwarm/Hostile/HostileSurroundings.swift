import EventLoop

/// What the hostile bots of a loop share. Confined to the loop.
final class HostileSurroundings {
  let plan: SwarmPlan
  let hostile: HostilePlan
  let loop: Loop
  var tallies: [HostileKind: HostileTally] = [:]
  /// What a healthy bot receives in a second: what the server has for each member of a room.
  var bytesPerMemberSecond = 0.0
  /// Sum of that over time: what was meant for a member since some moment is the difference.
  private(set) var memberBytes = 0.0
  private var advancedAt: UInt64?
  /// What the server's socket took for a peer that reads nothing, as far as one was ended for it.
  var learntBufferBytes: Double?
  /// Connections that churning bots have still to make; nil when no number was asked for.
  private(set) var cyclesLeft: Int?

  init(_ plan: SwarmPlan, _ hostile: HostilePlan, _ loop: Loop) {
    self.plan = plan
    self.hostile = hostile
    self.loop = loop
    cyclesLeft = hostile.cycles
  }

  func cycleMade() { cyclesLeft = cyclesLeft.map { max(0, $0 - 1) } }

  func advance(to now: UInt64) {
    if let advancedAt, now > advancedAt {
      memberBytes += bytesPerMemberSecond * Double(now - advancedAt) / 1_000_000
    }
    advancedAt = now
  }

  /// A room of the healthy bots.
  func healthyRoom(_ index: Int) -> String { "\(plan.roomPrefix)-\(index % plan.rooms)" }

  /// A room that no healthy bot is in.
  func ownRoom(_ kind: HostileKind, _ index: Int) -> String { "\(plan.roomPrefix)-\(kind.rawValue)-\(index % 4)" }

  /// Hostile bots have addresses of their own on the loopback network: thousands of connections that they drop keep
  /// their ports busy for a minute, which must not take those of healthy bots.
  func localAddress(_ index: Int) -> String? {
    if let given = plan.localAddress { return given }
    guard plan.host.hasPrefix("127.") || plan.host == "localhost" else { return nil }
    return "127.0.1.\(index % 250 + 1)"
  }
}
