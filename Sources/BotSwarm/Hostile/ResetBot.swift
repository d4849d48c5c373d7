import EventLoop
import WireFormat

/// Resets its connection: at once, after its Hello, after its Welcome, after its Join, in its room.
final class ResetBot: HostileBot {
  private enum Stage: Int, CaseIterable {
    case connected, greeted, welcomed, joining, joined
  }

  private var stage: Stage { Stage.allCases[round % Stage.allCases.count] }

  override func begin() {
    if stage == .connected { return link() }
    if stage == .welcomed || stage == .joining { forgetSeat() }
    client(joining: stage == .welcomed ? nil : surroundings.healthyRoom(index))
  }

  override func connected(_ link: HostileLink) {
    // The Hello is written when the bot is told.
    if stage == .connected || stage == .greeted { reset() }
  }

  override func welcomed(_ link: HostileLink) {
    guard stage == .welcomed || stage == .joining else { return }
    if stage == .joining { link.join(surroundings.healthyRoom(index)) }
    reset()
  }

  override func joined(_ link: HostileLink) { reset() }

  private func reset() {
    act(expecting: [])
    tally { $0.cycles += 1 }
    endRound(afterMicroseconds: Self.pauseMicroseconds / 5) { $0.reset() }
  }
}
