import CUV
import Glibc

/// An IPv4 or IPv6 address, small and hashable.
///
/// IPv4 is kept in its IPv6-mapped form, so that a peer counts once whichever way a dual-stack listener saw it.
package struct IPAddress: Hashable, Sendable, CustomStringConvertible {
  private let high: UInt64
  private let low: UInt64

  private static let mappedPrefix: UInt64 = 0xffff_0000_0000

  init(_ address: in_addr) {
    high = 0
    low = IPAddress.mappedPrefix | UInt64(UInt32(bigEndian: address.s_addr))
  }

  init(_ address: in6_addr) {
    var address = address
    (high, low) = withUnsafeBytes(of: &address) { bytes in
      (
        UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
        UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      )
    }
  }

  /// Reads `192.0.2.1` or `2001:db8::1`; nil for anything else.
  package init?(_ literal: String) {
    var four = in_addr()
    var six = in6_addr()
    if inet_pton(AF_INET, literal, &four) == 1 {
      self.init(four)
    } else if inet_pton(AF_INET6, literal, &six) == 1 {
      self.init(six)
    } else {
      return nil
    }
  }

  /// The sixteen bytes of the IPv6 address, the first eight as a big-endian number, then the others.
  package var ipv6: (high: UInt64, low: UInt64) { (high, low) }

  package var isIPv4: Bool { high == 0 && low >> 32 == IPAddress.mappedPrefix >> 32 }

  package var description: String {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    if isIPv4 {
      var four = in_addr(s_addr: UInt32(truncatingIfNeeded: low).bigEndian)
      inet_ntop(AF_INET, &four, &text, socklen_t(text.count))
    } else {
      var six = (high.bigEndian, low.bigEndian)
      inet_ntop(AF_INET6, &six, &text, socklen_t(text.count))
    }
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

/// An address and a port. Prints as `192.0.2.1:80` or `[2001:db8::1]:80`.
package struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
  package let ip: IPAddress
  package let port: UInt16

  package var description: String { ip.isIPv4 ? "\(ip):\(port)" : "[\(ip)]:\(port)" }

  /// Nil for families other than IPv4 and IPv6.
  init?(_ storage: sockaddr_storage) {
    let address: (IPAddress, UInt16)? = withUnsafeBytes(of: storage) { bytes in
      switch Int32(storage.ss_family) {
      case AF_INET:
        let four = bytes.load(as: sockaddr_in.self)
        return (IPAddress(four.sin_addr), UInt16(bigEndian: four.sin_port))
      case AF_INET6:
        let six = bytes.load(as: sockaddr_in6.self)
        return (IPAddress(six.sin6_addr), UInt16(bigEndian: six.sin6_port))
      default: return nil
      }
    }
    guard let address else { return nil }
    (ip, port) = address
  }
}
