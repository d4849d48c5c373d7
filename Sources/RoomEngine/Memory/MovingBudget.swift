/// Bytes that connections carry to another loop unread, of all loops together: in no loop's account while they are on
/// their way, and a loop that is stuck takes none of them.
package struct MovingBudget: Sendable {
  /// Each connection may carry so much whatever the others do: a message that came behind the Join.
  static let fairBytes = 512
  /// What is open to everyone beyond that.
  static let openBytes = 256 * 1024

  private var bytes = 0

  package init() {}

  /// The most that there can be, in bytes.
  static func most(connections: Int) -> Int {
    openBytes.addingSaturating(connections.multipliedSaturating(by: fairBytes))
  }

  /// Takes so much; false when a connection that carries so much has to end.
  package mutating func take(_ count: Int) -> Bool {
    guard count <= Self.fairBytes || bytes + count <= Self.openBytes else { return false }
    bytes += count
    return true
  }

  package mutating func giveBack(_ count: Int) {
    bytes -= count
    assert(bytes >= 0, "\(-bytes) bytes more arrived than were on their way")
  }
}
