public import WireFormat

/// The definition of a room: what it synchronises, how fast, for how many, with which rules and limits.
///
/// ```swift
/// let arena = RoomKind("arena", schema: schema, capacity: 64) { Arena() }
/// ```
public struct RoomKind: Sendable {
  /// 1 to 64 bytes; the name that clients join by.
  public let name: String
  /// What is synchronised.
  public let schema: Schema
  /// Ticks a second, 1 to 128.
  public let tickRate: Int
  /// Seats of a room, 1 to 65,536. Player ids of players who left rest for the length of the frame log.
  public let capacity: Int
  /// Bounds in bytes, counts and time.
  public let limits: RoomLimits
  /// What the game allocates itself.
  public let memory: GameMemory
  /// Makes the rules of one room; called once for each room, on the loop that the room lives on.
  public let makeLogic: @Sendable () -> any RoomLogic
  /// Most inputs of one member that a tick applies; see ``InputTurn``.
  package let inputsPerTick: Int

  /// A room kind; checked when a server takes it.
  public init(
    _ name: String, schema: Schema, tickRate: Int = 30, capacity: Int = 100, limits: RoomLimits = RoomLimits(),
    memory: GameMemory = GameMemory(), makeLogic: @escaping @Sendable () -> any RoomLogic
  ) {
    self.name = name
    self.schema = schema
    self.tickRate = tickRate
    self.capacity = capacity
    self.limits = limits
    self.memory = memory
    self.makeLogic = makeLogic
    inputsPerTick = limits.inputsPerTick.count(atRate: max(1, tickRate))
  }

  /// Nanoseconds from one tick to the next, rounded down; due times are computed from the tick number, so nothing
  /// drifts.
  package var tickNanoseconds: UInt64 { 1_000_000_000 / UInt64(tickRate) }

  /// Most bytes of one frame message: all events and every entity changed.
  package var frameBound: Int {
    messageOverhead + 32 + limits.eventBytesPerTick.bytes + systemEventBound + FrameEncoder.stateBound(schema.layouts)
  }

  /// Most bytes of a frame's buffer, which has room for an acknowledgement behind the message.
  package var frameBufferBound: Int { frameBound + InputAck.bound }

  /// Most bytes of the joined and left events of one tick: everybody leaves and as many as are admitted come.
  var systemEventBound: Int { (capacity + limits.admissionsPerTick) * (RoomEvent.overhead + 8) }

  /// Most bytes of buffers that one connection holds: its own messages twice, since those of the last write may still be
  /// in flight, and the rest of a write that begins with Joined and a keyframe.
  package var heldBytesBound: Int {
    let backlog = limits.backlogBytes.bytes
    let joined = Joined.bound(schemaBytes: schema.encoded.count, players: capacity) + messageOverhead
    // Behind Joined come the whispers that a seat keeps: bounded in number too.
    let whispers = min(backlog, Seat.mostWhispers * (Whisper.overhead + limits.payloadBytes.bytes))
    return 2 * BufferPool.capacity(for: backlog) + BufferPool.capacity(for: joined + whispers)
      + BufferPool.capacity(for: frameBufferBound)
      + BufferPool.capacity(for: EventLog.messageBound(limits.eventLogBytes))
  }

  /// What is wrong with the definition, or nil. Names the setting, its value and what is allowed.
  public var fault: String? {
    guard WireLimits.nameBytes.contains(name.utf8.count) else {
      return "the name \"\(name)\" has \(name.utf8.count) bytes, 1 to 64 are allowed"
    }
    guard (1...128).contains(tickRate) else { return "tickRate is 1 to 128 Hz, not \(tickRate)" }
    guard (1...WireLimits.players).contains(capacity) else {
      return "capacity is 1 to \(WireLimits.players) players, not \(capacity)"
    }
    if let fault = limits.fault ?? memory.fault { return fault }
    guard frameBound <= WireLimits.serverMessageBytes else {
      return
        "a frame of this room may take \(frameBound) bytes, \(FrameEncoder.stateBound(schema.layouts)) of them for state: at most "
        + "\(WireLimits.serverMessageBytes) are allowed. Lower the capacity of its entity kinds, use fewer fields, or lower eventBytesPerTick"
    }
    return nil
  }
}
