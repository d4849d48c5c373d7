/// Bytes that came in on one loop and wait: messages for their tick, unfinished messages for their rest. Bounded for all
/// connections together.
///
/// Half of the budget is open to everyone; once it is taken, each connection may still have its fair part of the
/// other half, so that who floods is ended and who plays is not. Together never more than the budget.
package struct InputAccount: Sendable {
  package private(set) var waitingBytes = 0
  /// Up to here nobody is asked.
  private let openBytes: Int
  /// What any one connection may have beyond that.
  private let fairBytes: Int

  /// - Parameters:
  ///   - budget: of all loops together.
  ///   - loops: how many share it.
  ///   - connections: of all loops together, at most.
  package init(budget: ByteCount, loops: Int, connections: Int) {
    openBytes = budget.bytes / 2 / max(1, loops)
    fairBytes = budget.bytes / 2 / max(1, connections)
  }

  /// Without a bound, for rooms that no server runs.
  package init() {
    openBytes = .max
    fairBytes = .max
  }

  package mutating func add(_ bytes: Int) {
    waitingBytes += bytes
    assert(waitingBytes >= 0, "\(-waitingBytes) bytes more were taken off than were put on")
  }

  /// Whether a connection may go on that has so much waiting, counted here already.
  package func allows(_ bytes: Int) -> Bool { waitingBytes <= openBytes || bytes <= fairBytes }
}
