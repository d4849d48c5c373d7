import Glibc

/// Open descriptors that the process may have: one a connection, and some for itself.
enum DescriptorLimit {
  /// Standard streams, listeners, timers, mailboxes, libuv's own, and two for each connection on the move.
  static let reserve = 128

  /// Raises the soft limit as far as needed.
  ///
  /// - Throws: ``StartError`` when the hard limit is too low.
  static func check(connections: Int) throws {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    let needed = rlim_t(connections + reserve)
    guard limit.rlim_cur < needed else { return }
    guard limit.rlim_max >= needed else {
      throw StartError(
        "maxConnections \(connections) needs \(needed) descriptors, the system allows \(limit.rlim_max): "
          + "lower maxConnections to \(max(0, Int(limit.rlim_max) - reserve)) or raise the limit (ulimit -n, --ulimit nofile)"
      )
    }
    limit.rlim_cur = needed
    guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      throw StartError("can't raise the limit of open descriptors to \(needed): errno \(errno)")
    }
  }
}
