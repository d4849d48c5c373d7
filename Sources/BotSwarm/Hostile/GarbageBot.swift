/// Sends random bytes: before its Hello, after its Welcome, in a room.
final class GarbageBot: HostileBot {
  private static let burstBytes = 4_096

  private var isSending = false

  override func begin() {
    isSending = false
    // What it may do to its own seat must not be found in the next round.
    forgetSeat()
    switch round % 3 {
    case 0: link()
    case 1: client(joining: nil)
    default: client(joining: surroundings.healthyRoom(index))
    }
  }

  override func connected(_ link: HostileLink) { if link.core == nil { start(link) } }

  override func welcomed(_ link: HostileLink) { if round % 3 == 1 { start(link) } }

  override func joined(_ link: HostileLink) { start(link) }

  private func start(_ link: HostileLink) {
    link.stopFollowing()
    isSending = true
    act(
      expecting: [
        "badMagic", "versionUnsupported", "malformed", "messageTooLarge", "unexpectedMessage", "unknownMessage",
        "invalidInput", "rateLimited",
      ], withinSeconds: Self.atOnceSeconds)
  }

  /// Again and again: random bytes can be messages that a server is to skip.
  override func turn(now: UInt64) {
    guard isSending, let link = links.first else { return }
    link.send((0..<Self.burstBytes).map { _ in UInt8(truncatingIfNeeded: random.next()) })
  }
}
