import ClientCore

/// A room at one moment, as ``Room/read(_:)`` hands it out: the state of one tick, and how many of this player's inputs
/// are in it. Valid within that call only, which the compiler checks.
public struct RoomState: ~Copyable {
  private let state: ClientState
  private let number: Int
  private let now: UInt64

  init(_ state: ClientState, number: Int, now: UInt64) {
    self.state = state
    self.number = number
    self.now = now
  }

  /// The seat, as long as the room is not over.
  private var seat: RoomSeat? { state.roomNumber == number ? state.core.seat : nil }

  /// The tick of the last frame; nil when the room is over.
  public var tick: Tick? { seat?.tick }

  /// The number of the last of this player's inputs that the state contains; 0 before the first.
  ///
  /// All inputs up to it are in the state of ``tick``, and none after it: start from the state and repeat what was sent
  /// later. The server says so behind the frame; a frame waits for it when the network parts them, for a tenth of a
  /// second at the most.
  public var acknowledgedInput: UInt32 { seat?.acknowledgedInput ?? 0 }

  /// The value of a field; nil when there is no such entity, or the room is over.
  ///
  /// The key must be of this room's ``Room/schema``.
  public func value<Value>(_ key: FieldKey<Value>, of entity: EntityID) -> Value? {
    table(key, entity)?.load(key, Int(entity.id))
  }

  /// The value of a field for display, as ``Room/interpolated(_:of:at:)`` gives it.
  public func interpolated<Value>(
    _ key: FieldKey<Value>, of entity: EntityID, at time: Duration? = nil
  ) -> Value? {
    guard let table = table(key, entity), let seat, let mirror = seat.mirror else { return nil }
    guard let micros = time?.wholeMicroseconds ?? renderMicroseconds else { return table.load(key, Int(entity.id)) }
    return state.interpolation.buffer.value(key, of: entity, at: seat.tick(atMicroseconds: micros), mirror)
  }

  /// The entities of a kind that are there, ascending by id.
  public func entities(of kind: KindIndex) -> [EntityID] {
    var found: [EntityID] = []
    table(kind)?.forEach { found.append(EntityID(kind: kind, id: UInt16(truncatingIfNeeded: $0))) }
    return found
  }

  /// The player whose entity it is; nil for the room's own, and when there is no such entity.
  public func owner(of entity: EntityID) -> PlayerID? {
    guard let table = table(entity.kind), table.contains(Int(entity.id)) else { return nil }
    return table.owner(of: Int(entity.id))
  }

  /// The players in the room, this one included, ascending.
  public var players: [PlayerID] { seat?.players ?? [] }

  /// The hash of the state, equal for all clients of the room at the same tick: for tests. Nil when the room is over.
  public var stateHash: UInt64? { seat?.mirror?.hash }

  // MARK: Time, in microseconds of the server's clock

  var serverMicroseconds: UInt64? { seat == nil ? nil : state.core.clock.serverTime(at: now) }

  /// What a frame needs to get here, and two tick intervals, behind that.
  var renderMicroseconds: UInt64? {
    guard let seat, let arrival = state.core.clock.arrivalTime(at: now) else { return nil }
    let delay = 2 * 1_000_000 / UInt64(seat.tickRate)
    return arrival > delay ? arrival - delay : 0
  }

  // MARK: Tables

  private func table(_ kind: KindIndex) -> EntityTable? {
    guard let tables = seat?.mirror?.tables, Int(kind.rawValue) < tables.count else { return nil }
    return tables[Int(kind.rawValue)]
  }

  /// The table that holds the entity, if there is one.
  private func table<Value>(_ key: FieldKey<Value>, _ entity: EntityID) -> EntityTable? {
    guard let seat, seat.mirror != nil else { return nil }
    precondition(
      key.schemaHash == seat.schema.hash, "a key of another schema: look keys up in room.schema of this room")
    guard key.kind == entity.kind, let table = table(key.kind), table.contains(Int(entity.id)) else { return nil }
    return table
  }
}

extension Duration {
  /// Rounded down; 0 if negative.
  fileprivate var wholeMicroseconds: UInt64 {
    let (seconds, attoseconds) = components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    return UInt64(seconds) &* 1_000_000 &+ UInt64(attoseconds / 1_000_000_000_000)
  }
}
