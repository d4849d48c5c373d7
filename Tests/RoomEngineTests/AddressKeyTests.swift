import RoomEngine
import Testing

@Suite struct AddressKeyTests {
  /// ::ffff:192.0.2.1 and ::ffff:192.0.2.2.
  private let mapped = [AddressKey(ipv6: 0, 0xffff_c000_0201), AddressKey(ipv6: 0, 0xffff_c000_0202)]

  @Test func anIPv4AddressIsOneHoweverItComes() {
    // 64:ff9b::192.0.2.1 and 64:ff9b::192.0.2.2.
    let translated = [0xc000_0201, 0xc000_0202].map { AddressKey(ipv6: 0x0064_ff9b_0000_0000, $0) }
    #expect(mapped == translated)
    #expect(mapped[0] != mapped[1])
  }

  @Test func anIPv6AddressIsItsNetworkOf64Bits() {
    let network: UInt64 = 0x2001_0db8_0001_0002
    #expect(AddressKey(ipv6: network, 1) == AddressKey(ipv6: network, .max))
    #expect(AddressKey(ipv6: network, 1) != AddressKey(ipv6: network + 1, 1))
    // ::1 is not 0.0.0.1, and the last network of all is not that of peers without an address.
    #expect(AddressKey(ipv6: 0, 1) != AddressKey(ipv6: 0, 0xffff_0000_0001))
    #expect(AddressKey(ipv6: .max, .max) != AddressKey.unknown)
  }

  @Test func anEntryIsThereOnlyWhileSomethingIsCharged() throws {
    let (one, other) = (mapped[0], mapped[1])
    var counts = AddressCounts()
    counts.charge(one)
    counts.charge(one)
    counts.charge(other)
    #expect((counts[one], counts[other], counts.total, counts.addresses, counts.crowded) == (2, 1, 3, 2, 1))
    counts.refund(one)
    #expect((counts[one], counts.crowded) == (1, 0))
    counts.refund(one)
    counts.refund(other)
    #expect(counts.isEmpty && counts.total == 0)
  }
}
