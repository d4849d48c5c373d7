import CUV
import Glibc

extension sockaddr_storage {
  /// The system's form of an address literal and a port; nil when `host` is not a literal. Takes `fe80::1%eth0` too.
  static func literal(_ host: String, port: UInt16) -> sockaddr_storage? {
    var storage = sockaddr_storage()
    let isLiteral = withUnsafeMutableBytes(of: &storage) { bytes in
      guard let base = bytes.baseAddress else { return false }
      return uv_ip4_addr(host, Int32(port), base.assumingMemoryBound(to: sockaddr_in.self)) == 0
        || uv_ip6_addr(host, Int32(port), base.assumingMemoryBound(to: sockaddr_in6.self)) == 0
    }
    return isLiteral ? storage : nil
  }

  var family: Int32 { Int32(ss_family) }

  var byteCount: socklen_t {
    socklen_t(family == AF_INET ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size)
  }

  /// Lends the bytes as the `sockaddr` the system calls take.
  func withSocketAddress<Result>(_ body: (UnsafePointer<sockaddr>) -> Result) -> Result {
    withUnsafePointer(to: self) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0) }
    }
  }

  /// Fills an address by a call of the `getsockname` family; nil when the call fails.
  static func filled(by call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32)
    -> sockaddr_storage?
  {
    var storage = sockaddr_storage()
    var count = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = withUnsafeMutablePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { call($0, &count) }
    }
    return result >= 0 ? storage : nil
  }
}

/// `host:port` for messages, with brackets around IPv6.
package func endpoint(_ host: String, _ port: UInt16) -> String {
  host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
}
