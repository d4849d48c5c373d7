import EventLoop

/// Where bots connect from.
///
/// One address has about 28,000 ports towards the same server; on the loopback network there are more addresses to be
/// had.
enum LocalAddress {
  static let botsPerAddress = 20_000

  /// Nil leaves the choice to the system.
  static func address(ofBot index: Int, _ plan: SwarmPlan) -> String? {
    if let given = plan.localAddress { return given }
    let block = index / botsPerAddress
    guard block > 0, plan.host.hasPrefix("127.") || plan.host == "localhost" else { return nil }
    return "127.0.0.\(min(254, block + 1))"
  }
}
