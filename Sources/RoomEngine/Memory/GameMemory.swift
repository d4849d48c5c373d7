/// What a game allocates itself, for the memory plan: the server knows what a room's frames, events and seats take, not
/// what the game's own types do.
///
/// ```swift
/// let arena = RoomKind("arena", schema: schema, memory: GameMemory(bytesPerRoom: .mib(1), bytesPerPlayer: .kib(16))) {
///   Arena()
/// }
/// ```
///
/// Declare the most that they come to, caches and navigation meshes included. What is not declared is in no plan: the
/// server still does not come to its limit, but it refuses players and in the end closes rooms that a true declaration
/// would have told at start.
public struct GameMemory: Hashable, Sendable {
  /// Of one room, whoever is in it: 0 B to 1 TiB.
  public var bytesPerRoom: ByteCount
  /// Of one player while it has a seat, the time of its grace included: 0 B to 1 TiB.
  public var bytesPerPlayer: ByteCount

  /// Declares so much; nothing by default.
  public init(bytesPerRoom: ByteCount = ByteCount(0), bytesPerPlayer: ByteCount = ByteCount(0)) {
    self.bytesPerRoom = bytesPerRoom
    self.bytesPerPlayer = bytesPerPlayer
  }

  /// What is wrong, or nil.
  var fault: String? {
    let allowed = ByteCount(0)...ByteCount.mib(1024 * 1024)
    for (name, value) in [("bytesPerRoom", bytesPerRoom), ("bytesPerPlayer", bytesPerPlayer)]
    where !allowed.contains(value) {
      return "memory.\(name) is 0B to 1024GiB, not \(value)"
    }
    return nil
  }
}
