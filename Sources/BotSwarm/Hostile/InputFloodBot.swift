import WireFormat

/// Sends inputs as fast as the socket takes them, from a seat in a room of healthy bots.
final class InputFloodBot: HostileBot {
  private static let inputsPerTurn = 500

  private var sequence: UInt32 = 0
  private var isFlooding = false

  override func begin() {
    isFlooding = false
    forgetSeat()
    client(joining: surroundings.healthyRoom(index))
  }

  override func joined(_ link: HostileLink) {
    link.stopFollowing()
    (sequence, isFlooding) = (0, true)
    act(expecting: ["rateLimited"], withinSeconds: Self.atOnceSeconds)
  }

  override func turn(now: UInt64) {
    guard isFlooding, let link = links.first else { return }
    link.send(
      encodedBytes(bound: Self.inputsPerTurn * 32) { out in
        for _ in 0..<Self.inputsPerTurn {
          sequence += 1
          InputWriter.encode(sequence: sequence, [], from: [], into: &out)
        }
      })
  }
}
