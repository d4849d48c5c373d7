/// What happens in a room, as ``Room/events`` tells it.
public enum RoomNotice: Equatable, Sendable {
  /// An entity is there; read its fields with ``Room/value(_:of:)``. At first all entities of the room are told so.
  case entityCreated(EntityID, owner: PlayerID?)
  /// Fields changed: bit i of the mask stands for field i; compare with ``FieldKey/mask``.
  case entityChanged(EntityID, mask: UInt64)
  /// An entity is gone.
  case entityRemoved(EntityID)
  /// A game event, to all or to some.
  case event(GameEvent)
  /// A game event to this player alone.
  case whisper(GameEvent)
  /// A player took a seat.
  case playerJoined(PlayerID)
  /// A player's seat was freed.
  case playerLeft(PlayerID)
  /// All that came with the frames up to this tick was told.
  case frame(Tick)
  /// The connection is lost; the client reconnects by itself after the delay. Until ``resumed`` the state stands still.
  case disconnected(retryIn: Duration)
  /// The connection is back, and nothing was missed.
  case resumed
  /// The last notice: the room is over for this client.
  case ended(RoomEnd)
}

/// An event of the game.
public struct GameEvent: Equatable, Sendable {
  /// What it is, 16 to 65535, as the game defines it.
  public let code: UInt16
  /// Its content, at most 1,024 bytes.
  public let payload: [UInt8]
  /// The player who raised it; nil for the room itself.
  public let sender: PlayerID?
  /// Reliable events are told exactly once and in order; transient ones may be lost.
  public let isReliable: Bool
}
