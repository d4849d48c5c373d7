import WireFormat

/// Sends a Hello with the longest token, one byte a second: the handshake deadline counts from its beginning.
final class SlowlorisBot: HostileBot {
  private static let byteMicroseconds: UInt64 = 1_000_000

  private let hello: [UInt8] = {
    let hello = Hello(credential: .token([UInt8](repeating: 0x61, count: WireLimits.tokenBytes)))
    return encodedBytes(bound: hello.bound + messageOverhead) { hello.encode(into: &$0) }
  }()
  private var sent = 0
  private var nextByte: UInt64 = 0

  override func begin() {
    sent = 0
    link()
  }

  override func connected(_ link: HostileLink) {
    act(
      expecting: ["handshakeTimeout"],
      withinSeconds: surroundings.hostile.limits.handshakeSeconds + Self.marginSeconds)
  }

  override func turn(now: UInt64) {
    guard let link = links.first, link.isOpen, now >= nextByte, sent < hello.count else { return }
    nextByte = now + Self.byteMicroseconds
    link.send([hello[sent]])
    sent += 1
  }
}
