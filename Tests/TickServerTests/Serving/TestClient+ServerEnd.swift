import Glibc

/// The other end of a test client's connection: the server is in the same process.
extension TestClient {
  /// The server's descriptor, whose peer is this client; nil before it is accepted.
  var serverEnd: Int32? {
    guard let own = Self.port(of: descriptor, getsockname) else { return nil }
    return (0..<1024).first { $0 != descriptor && Self.port(of: $0, getpeername) == own }
  }

  /// Whether a socket's send buffer has room.
  static func isWritable(_ descriptor: Int32) -> Bool {
    var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    return Glibc.poll(&poll, 1, 0) > 0 && poll.revents & Int16(POLLOUT) != 0
  }

  private static func port(
    of descriptor: Int32,
    _ name: (Int32, UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<socklen_t>?) -> Int32
  ) -> UInt16? {
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name(descriptor, $0, &length) }
    }
    return result == 0 && address.sin_family == sa_family_t(AF_INET) ? UInt16(bigEndian: address.sin_port) : nil
  }
}
