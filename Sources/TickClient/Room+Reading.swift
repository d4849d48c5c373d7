import ClientCore
import EventLoop

/// The state, and the room's time.
extension Room {
  /// Reads several things of one moment: while `body` runs no frame is applied.
  ///
  /// ```swift
  /// room.read { state in
  ///   // What the server made of the inputs so far; then those that it has not seen yet, as if it had.
  ///   hero.place = state.value(position, of: me) ?? hero.place
  ///   for input in sent where input.number > state.acknowledgedInput { hero.move(input) }
  ///   for other in state.entities(of: avatars) { draw(state.interpolated(position, of: other)) }
  /// }
  /// ```
  ///
  /// Each ``value(_:of:)`` and the like outside of it is a reading of its own, and the next one may be of a later tick.
  /// A reading that follows ``RoomNotice/frame(_:)`` is of that tick or a later one, with the acknowledgement that
  /// belongs to it.
  ///
  /// - Parameter body: Keep it short, since frames wait for it, and do not call the room or its client in it: that ends
  ///   the program.
  /// - Returns: What `body` returns; it throws what `body` throws.
  @_semantics("optimize.sil.specialize.generic.never")  // Swift 6.3 crashes when it specialises a borrowed argument.
  public func read<Value, Failure: Error>(
    _ body: (borrowing RoomState) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    let now = SharedLoop.now()
    return try state.read { (state) throws(Failure) in
      let moment = RoomState(state, number: number, now: now)
      return try body(moment)
    }
  }

  /// The value of a field as of the last frame; nil when there is no such entity, or the room is over.
  ///
  /// The key must be of this room's ``schema``.
  public func value<Value>(_ key: FieldKey<Value>, of entity: EntityID) -> Value? {
    read { $0.value(key, of: entity) }
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
    read { $0.interpolated(key, of: entity, at: time) }
  }

  /// The entities of a kind that are there, ascending by id.
  public func entities(of kind: KindIndex) -> [EntityID] { read { $0.entities(of: kind) } }

  /// The player whose entity it is; nil for the room's own, and when there is no such entity.
  public func owner(of entity: EntityID) -> PlayerID? { read { $0.owner(of: entity) } }

  /// The players in the room, this one included, ascending.
  public var players: [PlayerID] { read { $0.players } }

  /// The tick of the last frame; nil when the room is over.
  public var tick: Tick? { read { $0.tick } }

  /// The hash of the state, equal for all clients of the room at the same tick: for tests. Nil when the room is over.
  public var stateHash: UInt64? { read { $0.stateHash } }

  /// The server's clock now, as far as it can be told from here: time since the server started. It stands still once the
  /// room is over.
  ///
  /// It never runs backwards. A better estimate is reached by running 5% faster or slower, in 20 times its distance: 5 s
  /// for a quarter of a second. Beyond that it steps forward at once, as after a pause of this machine, or stands still
  /// until it is right, as after one of the server's.
  public var serverTime: Duration { times.latest(server: read { $0.serverMicroseconds }) }

  /// The server time to display now: what a frame needs to get here, and two tick intervals, behind ``serverTime``. It
  /// never runs backwards either.
  public var renderTime: Duration { times.latest(render: read { $0.renderMicroseconds }) }
}

/// The latest times told: threads that ask at once may get their answers in another order than they asked.
final class RoomTimes: Sendable {
  private let told = Locked((server: UInt64(0), render: UInt64(0)))

  func latest(server: UInt64?) -> Duration {
    told.withLock { told in
      told.server = max(told.server, server ?? 0)
      return .microseconds(Int64(clamping: told.server))
    }
  }

  func latest(render: UInt64?) -> Duration {
    told.withLock { told in
      told.render = max(told.render, render ?? 0)
      return .microseconds(Int64(clamping: told.render))
    }
  }
}
