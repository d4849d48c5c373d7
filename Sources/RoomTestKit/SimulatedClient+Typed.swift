public import WireFormat

/// The game's own types in the place of bytes.
extension SimulatedClient {
  /// Raises an event.
  public func raise(_ event: some GameEvent, to target: EventTarget = .all, reliably: Bool = true) {
    raise(type(of: event).code, event.bytes, to: target, reliably: reliably)
  }

  /// The events of this type that came, in order.
  public func events<Event: GameEvent>(as type: Event.Type = Event.self) -> [Event] {
    events.compactMap { $0.read() }
  }

  /// The whispers of this type that came, in order.
  public func whispers<Event: GameEvent>(as type: Event.Type = Event.self) -> [Event] {
    whispers.compactMap { $0.read() }
  }
}

extension ReceivedEvent {
  /// The event as one of the game's types; nil when it is another one, or its payload does not follow that layout.
  public func read<Event: GameEvent>(as type: Event.Type = Event.self) -> Event? {
    code == Event.code ? try? Event(payload) : nil
  }
}
