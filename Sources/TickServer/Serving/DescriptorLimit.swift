import Glibc

/// Open descriptors that the process may have: one a connection, and some for itself.
enum DescriptorLimit {
  /// Standard streams, log files, what a game opens, and two for each connection on the move.
  private static let reserve = 64
  /// A loop's event queue, its timer, its mailboxes and its listener.
  private static let perLoop = 8

  /// Raises the soft limit as far as needed.
  ///
  /// - Throws: ``StartError`` when the hard limit is too low.
  static func check(connections: Int, loops: Int, hasAdmin: Bool) throws {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    let admin = hasAdmin ? AdminServer.descriptors : 0
    let others = reserve + perLoop * loops + Refusals.most(loops: loops) * loops + admin
    let needed = rlim_t(connections + others)
    guard limit.rlim_cur < needed else { return }
    guard limit.rlim_max >= needed else {
      let possible = Int(clamping: limit.rlim_max) - others
      let lower = possible > 0 ? "lower maxConnections to \(possible) or raise" : "raise"
      throw StartError(
        "maxConnections \(connections) needs \(needed) descriptors, the system allows \(limit.rlim_max): "
          + "\(lower) the limit (ulimit -n, --ulimit nofile)")
    }
    limit.rlim_cur = needed
    guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      throw StartError("can't raise the limit of open descriptors to \(needed): errno \(errno)")
    }
  }
}
