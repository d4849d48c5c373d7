import EventLoop

/// Connects and vanishes: from its room with FIN and with RST, in the middle of its handshake, and before it. With a
/// seat it comes back to it, so that it holds one, whatever the number of connections.
final class ChurnBot: HostileBot {
  private static let betweenCyclesMicroseconds: UInt64 = 10_000

  override var isDone: Bool { surroundings.cyclesLeft == 0 }

  override func begin() { client(joining: surroundings.ownRoom(kind, index)) }

  override func connected(_ link: HostileLink) {
    switch round % 4 {
    case 2: vanish { $0.reset() }
    case 3: vanish { $0.close() }
    default: break
    }
  }

  override func joined(_ link: HostileLink) {
    vanish { stream in if round % 4 == 0 { stream.close() } else { stream.reset() } }
  }

  private func vanish(_ close: (Stream) -> Void) {
    act(expecting: [])
    tally { $0.cycles += 1 }
    surroundings.cycleMade()
    endRound(afterMicroseconds: Self.betweenCyclesMicroseconds, close)
  }
}
