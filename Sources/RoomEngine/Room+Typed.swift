public import WireFormat

/// The game's own types in the place of bytes and keys: what reads best in a game's rules.
extension Room {
  /// A field of an entity: ``get(_:of:)`` and ``set(_:of:to:)`` in one.
  ///
  /// ```swift
  /// room[avatar, health] -= 25
  /// ```
  ///
  /// - Precondition: the key comes from this room's schema.
  public subscript<Value>(entity: EntityID, key: FieldKey<Value>) -> Value {
    get { get(key, of: entity) }
    set { set(key, of: entity, to: newValue) }
  }

  /// Raises an event for every player; see ``raise(_:_:reliably:)``.
  @discardableResult
  public func raise(_ event: some GameEvent, reliably: Bool = true) -> Bool {
    raise(type(of: event).code, event.bytes, reliably: reliably)
  }

  /// Sends an event to one player; see ``whisper(_:_:to:reliably:)``.
  @discardableResult
  public func whisper(_ event: some GameEvent, to player: PlayerID, reliably: Bool = true) -> Bool {
    whisper(type(of: event).code, event.bytes, to: player, reliably: reliably)
  }

  /// The first tick that comes at least `delay` after this one, and never this one: for cooldowns and respawns, which
  /// compare it with ``tick``.
  public func tick(after delay: Duration) -> Tick {
    Tick(UInt32(clamping: UInt64(tick.rawValue) + UInt64(ticks(in: delay))))
  }
}

extension IncomingEvent {
  /// The event as one of the game's types; nil when it is another one, or its payload does not follow that layout.
  public func read<Event: GameEvent>(as type: Event.Type = Event.self) -> Event? {
    code == Event.code ? try? Event(payload) : nil
  }
}

extension CallOutcome {
  /// The answer, at most the kind's `payloadBytes` long.
  public static func reply(with answer: some Payload) -> CallOutcome { .reply(answer.bytes) }
}
