import ClientCore

/// The state, and the room's time.
extension Room {
  /// The value of a field as of the last frame; nil when there is no such entity, or the room is over.
  ///
  /// The key must be of this room's ``schema``.
  public func value<Value>(_ key: FieldKey<Value>, of entity: EntityID) -> Value? {
    state.locked { state in
      guard let table = state.table(key, entity, number) else { return nil }
      return table.load(key, Int(entity.id))
    }
  }

  /// The value of a field for display: between the values of two ticks, a little in the past, so that motion is smooth.
  ///
  /// ```swift
  /// let time = room.renderTime   // once a picture, for all that is in it
  /// for avatar in room.entities(of: avatars) { draw(avatar, at: room.interpolated(position, of: avatar, at: time)) }
  /// ```
  ///
  /// Numbers and vectors go straight, angles and rotations the shorter way, everything else steps. Nothing is
  /// extrapolated: later than the last frame it is the newest value. The first question for a field gets the newest
  /// value and starts its recording.
  /// - Parameter time: A server time; nil for ``renderTime``.
  /// - Returns: nil when there is no such entity, or the room is over.
  public func interpolated<Value>(
    _ key: FieldKey<Value>, of entity: EntityID, at time: Duration? = nil
  ) -> Value? {
    let now = SharedLoop.now()
    return state.locked { state in
      guard state.table(key, entity, number) != nil, let seat = state.core.seat, let mirror = seat.mirror else {
        return nil
      }
      guard let micros = time?.wholeMicroseconds ?? state.renderMicroseconds(now) else {
        return mirror.tables[Int(key.kind.rawValue)].load(key, Int(entity.id))
      }
      return state.interpolation.buffer.value(key, of: entity, at: seat.tick(atMicroseconds: micros), mirror)
    }
  }

  /// The entities of a kind that are there, ascending by id.
  public func entities(of kind: KindIndex) -> [EntityID] {
    state.locked { state in
      guard state.roomNumber == number, Int(kind.rawValue) < state.core.tables.count else { return [] }
      var found: [EntityID] = []
      state.core.tables[Int(kind.rawValue)].forEach {
        found.append(EntityID(kind: kind, id: UInt16(truncatingIfNeeded: $0)))
      }
      return found
    }
  }

  /// The player whose entity it is; nil for the room's own, and when there is no such entity.
  public func owner(of entity: EntityID) -> PlayerID? {
    state.locked { state in
      guard state.roomNumber == number, Int(entity.kind.rawValue) < state.core.tables.count else { return nil }
      let table = state.core.tables[Int(entity.kind.rawValue)]
      return table.contains(Int(entity.id)) ? table.owner(of: Int(entity.id)) : nil
    }
  }

  /// The players in the room, this one included, ascending.
  public var players: [PlayerID] {
    state.locked { state in state.roomNumber == number ? state.core.seat?.players ?? [] : [] }
  }

  /// The tick of the last frame; nil when the room is over.
  public var tick: Tick? {
    state.locked { state in state.roomNumber == number ? state.core.seat?.tick : nil }
  }

  /// The hash of the state, equal for all clients of the room at the same tick: for tests. Nil when the room is over.
  public var stateHash: UInt64? {
    state.locked { state in state.roomNumber == number ? state.core.stateHash : nil }
  }

  /// The server's clock now, as far as it can be told from here: time since the server started.
  public var serverTime: Duration {
    let now = SharedLoop.now()
    return .microseconds(Int64(clamping: state.locked { $0.core.clock.serverTime(at: now) } ?? 0))
  }

  /// The server time to display now: what a frame needs to get here, and two tick intervals, behind ``serverTime``.
  public var renderTime: Duration {
    let now = SharedLoop.now()
    return .microseconds(Int64(clamping: state.locked { $0.renderMicroseconds(now) } ?? 0))
  }
}

extension ClientState {
  /// The table that holds the entity, if the room is the present one and the entity exists.
  fileprivate func table<Value>(_ key: FieldKey<Value>, _ entity: EntityID, _ number: Int) -> EntityTable? {
    guard number == roomNumber, let seat = core.seat, let mirror = seat.mirror else { return nil }
    precondition(
      key.schemaHash == seat.schema.hash, "a key of another schema: look keys up in room.schema of this room")
    guard key.kind == entity.kind else { return nil }
    let table = mirror.tables[Int(key.kind.rawValue)]
    return table.contains(Int(entity.id)) ? table : nil
  }

  /// Server clock in microseconds to display at a local time.
  fileprivate func renderMicroseconds(_ now: UInt64) -> UInt64? {
    guard let seat = core.seat, let server = core.clock.serverTime(at: now) else { return nil }
    let delay = (core.clock.roundTripMicroseconds ?? 0) / 2 + 2 * 1_000_000 / UInt64(seat.tickRate)
    return server > delay ? server - delay : 0
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
