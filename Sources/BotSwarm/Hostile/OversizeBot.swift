import ClientCore
import WireFormat

/// Announces a message one byte longer than it may be, before its Hello and after its Welcome: the server must end it
/// by the announcement alone.
final class OversizeBot: HostileBot {
  override func begin() {
    forgetSeat()
    if round % 2 == 0 { link() } else { client(joining: nil) }
  }

  override func connected(_ link: HostileLink) {
    if link.core == nil { announce(WireLimits.clientHandshakeMessageBytes + 1, on: link) }
  }

  override func welcomed(_ link: HostileLink) {
    announce(Int(link.core?.welcome?.maxClientMessage ?? UInt32(WireLimits.clientMessageBytes)) + 1, on: link)
  }

  private func announce(_ length: Int, on link: HostileLink) {
    link.stopFollowing()
    act(expecting: ["messageTooLarge"], withinSeconds: Self.atOnceSeconds)
    link.send(encodedBytes(bound: WireLimits.lengthPrefixBytes) { $0.put(varint: length) })
  }
}
