import CUV
import Glibc

/// What is between the two ends of a connection within one process, for tests and measurements.
package enum LocalWire: Sendable {
  /// The least that the kernel has to do; no address, and the server is told of each byte.
  case socketPair
  /// TCP over loopback, as between processes.
  case loopback

  /// A new pair of ends, both non-blocking.
  package func ends() throws(LoopError) -> (client: Int32, server: SocketDescriptor) {
    switch self {
    case .socketPair:
      var ends: [Int32] = [-1, -1]
      guard socketpair(AF_UNIX, Self.type, 0, &ends) == 0 else { throw LoopError("socketpair", code: -errno) }
      return (ends[0], SocketDescriptor(owning: ends[1]))
    case .loopback: return try Self.connected()
    }
  }

  private static let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)

  private static func connected() throws(LoopError) -> (client: Int32, server: SocketDescriptor) {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard listener >= 0 else { throw LoopError("socket", code: -errno) }
    defer { close(listener) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    let client = socket(AF_INET, type, 0)
    guard client >= 0 else { throw LoopError("socket", code: -errno) }
    // A connection that is under way is all that accept needs to wait for.
    let isUnderWay = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        return bind(listener, address, size) == 0 && listen(listener, 1) == 0
          && getsockname(listener, address, &size) == 0
          && (connect(client, address, size) == 0 || errno == EINPROGRESS)
      }
    }
    let server = isUnderWay ? accept(listener, nil, nil) : -1
    guard server >= 0 else {
      let reason = errno
      close(client)
      throw LoopError("accept", code: -reason)
    }
    _ = fcntl(server, F_SETFL, O_NONBLOCK)
    _ = fcntl(server, F_SETFD, FD_CLOEXEC)
    var on: Int32 = 1
    for end in [client, server] {
      setsockopt(end, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }
    return (client, SocketDescriptor(owning: server))
  }
}
