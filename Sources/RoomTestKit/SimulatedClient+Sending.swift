package import ClientCore
import RoomEngine
public import WireFormat

/// What a client says. It reaches the server within the call, and takes effect in the room's next tick.
extension SimulatedClient {
  /// Asks for a seat.
  ///
  /// - Parameter strict: refuse rather than learn another schema than the room kind's.
  public func join(options: [UInt8] = [], strict: Bool = false) {
    refusal = nil
    say { core throws(ClientMisuse) in
      try core.join(room.room.name, kind: room.room.kind.name, options: options, strict: strict)
    }
  }

  /// Gives its seat up.
  public func leave() {
    say { core throws(ClientMisuse) in try core.leave() }
  }

  /// Sets a field of one of its own entities, in an input of its own; see ``send(_:)`` for several.
  ///
  /// - Throws: when it has no such entity.
  public func set<Value>(_ key: FieldKey<Value>, of entity: EntityID, to value: Value) throws {
    try core.set(key, of: entity, to: value)
    try core.flushInput()
    flush()
  }

  /// Raises an event; `code` is 16 to 65,535.
  public func raise(
    _ code: UInt16, _ payload: [UInt8] = [], to target: EventTarget = .all, reliably: Bool = true
  ) {
    say { core throws(ClientMisuse) in
      try core.raise(code, to: target, reliably: reliably, payload: payload.span)
    }
  }

  /// Calls a method.
  ///
  /// - Returns: the id of the reply in ``replies``; nil when it could not be sent: no seat, or 16 calls are unanswered.
  @discardableResult
  public func call(_ method: UInt16, payload: [UInt8] = []) -> UInt32? {
    let id = try? core.call(method, payload: payload.span)
    flush()
    return id
  }

  /// Sends bytes as they are: for what a client core would never say.
  public func send(raw bytes: [UInt8]) {
    guard let connection, !connection.isOver else { return }
    flush()
    room.take(bytes.span, from: connection)
    room.exchange(over: connection)
  }

  /// Lets the core say several things before they are sent together.
  package func say(_ body: (ClientCore) throws(ClientMisuse) -> Void) {
    do throws(ClientMisuse) {
      try body(core)
    } catch {
      room.faults.append("client \(player.map(\.description) ?? "without a seat"): \(error)")
    }
    flush()
  }
}
