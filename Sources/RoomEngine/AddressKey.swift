/// Whom cost is charged to: an address of the network, as far as one party can be told from another.
///
/// | address | who is charged |
/// | --- | --- |
/// | IPv4, also mapped into IPv6 (`::ffff:192.0.2.1`) | the address |
/// | IPv4 behind a translator (`64:ff9b::192.0.2.1`) | the IPv4 address |
/// | IPv6 | its /64: one customer has all of it, 2^64 addresses |
/// | none: the peer was gone when it was asked for | all of these together |
package struct AddressKey: Hashable, Sendable {
  private let high: UInt64
  private let low: UInt64

  /// The key of peers without an address.
  package static let unknown = AddressKey(high: .max, low: .max)

  private init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }

  /// - Parameters:
  ///   - high: The first eight bytes of an IPv6 address, as a big-endian number; IPv4 is mapped.
  ///   - low: The other eight.
  package init(ipv6 high: UInt64, _ low: UInt64) {
    let isMapped = high == 0 && low >> 32 == 0xffff
    let isTranslated = high == 0x0064_ff9b_0000_0000 && low >> 32 == 0
    if isMapped || isTranslated {
      self.init(high: 0, low: 0xffff_0000_0000 | low & 0xffff_ffff)
    } else {
      self.init(high: high, low: 0)
    }
  }
}

/// How many of something each address is charged with. An entry exists only while there is at least one, so that what
/// is charged bounds the memory.
package struct AddressCounts: Sendable {
  private var counts: [AddressKey: Int] = [:]
  /// Of all addresses together.
  package private(set) var total = 0
  /// Addresses with two or more.
  package private(set) var crowded = 0

  package init() {}

  package subscript(address: AddressKey) -> Int { counts[address, default: 0] }

  /// Addresses with at least one.
  package var addresses: Int { counts.count }

  package var isEmpty: Bool { counts.isEmpty }

  package mutating func charge(_ address: AddressKey) {
    total += 1
    let count = counts[address, default: 0] + 1
    counts[address] = count
    if count == 2 { crowded += 1 }
  }

  /// Takes one off; nothing happens to an address with none.
  package mutating func refund(_ address: AddressKey) {
    guard let count = counts[address] else { return assertionFailure("nothing is charged to the address") }
    total -= 1
    counts[address] = count > 1 ? count - 1 : nil
    if count == 2 { crowded -= 1 }
  }
}
