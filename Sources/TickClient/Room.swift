import ClientCore

/// A seat in a room: what happens there, its state, and what the player does.
///
/// All calls may be made from any task or thread; none but those marked `async` waits. While the server reads nothing,
/// 256 KiB of what is sent wait here, behind as much that is on its way to the system; what would exceed that is refused as
/// `notAllowed`, until the server reads again or the connection counts as lost. Without a connection everything is.
public final class Room: Sendable {
  /// The room's schema: look the keys of fields up here, once.
  public let schema: Schema
  /// This client's player.
  public let player: PlayerID
  /// Ticks a second.
  public let tickRate: Int
  /// What happens, from the first state on; see ``RoomEvents`` for what a slow reader misses.
  public let events: RoomEvents

  let client: TickClient
  let number: Int
  let times = RoomTimes()
  var state: ClientState { client.connection.state }

  init(_ client: TickClient, _ joined: JoinedRoom) {
    self.client = client
    number = joined.number
    schema = joined.schema
    player = joined.player
    tickRate = Int(joined.tickRate)
    events = RoomEvents(queue: joined.queue)
  }

  /// The time between two ticks.
  public var tickInterval: Duration { .nanoseconds(1_000_000_000 / Int64(tickRate)) }

  /// Gives the seat up, and returns when the server knows; without a connection at once.
  ///
  /// When the task is cancelled it returns at once as well: the server is told all the same, and the client can join
  /// another room as soon as the server has answered.
  public func leave() async {
    let id = WaiterID()
    await withTaskCancellationHandler {
      await withCheckedContinuation { waiter in
        state.locked { $0.awaitLeave(id, number, waiter) }
        client.wake()
      }
    } onCancel: {
      state.locked { $0.cancelLeave(id) }
    }
  }

  // MARK: Doing

  /// Sets fields of own entities, as one input. The state here changes when the server has applied it.
  ///
  /// ```swift
  /// try room.send { input in
  ///   input.set(position, of: me, to: here)
  ///   input.set(yaw, of: me, to: 90)
  /// }
  /// ```
  ///
  /// Values are brought into the range of their field. What is sent in quick succession leaves together:
  /// ``TickClient/Options/inputGathering``.
  /// - Returns: The input's number; compare with ``acknowledgedInput``. Nil when nothing was set.
  /// - Throws: ``ClientError``: `notAllowed` for entities of others, for keys of another schema or kind and while
  ///   disconnected, `ended`, and whatever `body` throws. Nothing is sent then.
  @discardableResult
  public func send(_ body: (inout Input) throws -> Void) throws -> UInt32? {
    var input = Input()
    try body(&input)
    let sets = input.sets
    let sequence = try state.locked { state -> UInt32? in
      try state.check(number)
      state.core.discardInput()
      do {
        for set in sets { try set(state.core) }
        return try state.core.flushInput()
      } catch {
        state.core.discardInput()
        throw ClientError.notAllowed("\(error)")
      }
    }
    client.wakeForInput()
    return sequence
  }

  /// The fields to set, in ``Room/send(_:)``.
  public struct Input {
    /// Done under the lock once all is said, so that the caller may look at the room meanwhile.
    fileprivate var sets: [(ClientCore) throws -> Void] = []

    /// Sets a field of an own entity.
    public mutating func set<Value>(_ key: FieldKey<Value>, of entity: EntityID, to value: Value) {
      sets.append { core in try core.set(key, of: entity, to: value) }
    }
  }

  /// The number of the last input that the room has applied; 0 before the first.
  ///
  /// It belongs to a tick: read it together with the state, by ``read(_:)``.
  public var acknowledgedInput: UInt32 { read { $0.acknowledgedInput } }

  /// Raises an event: it goes to the room, and from there to the players named.
  ///
  /// - Parameters:
  ///   - code: 16 to 65535, as the game defines it.
  ///   - target: Who gets it.
  ///   - isReliable: Whether each gets it exactly once and in order, or perhaps not at all.
  ///   - payload: At most 1,024 bytes; the room kind may allow less.
  /// - Throws: ``ClientError``: `notAllowed` for arguments out of range and while disconnected, `ended`.
  public func raise(_ code: UInt16, to target: EventTarget = .all, reliably isReliable: Bool = true, _ payload: [UInt8])
    throws
  {
    try state.locked { state in
      try state.check(number)
      do {
        try state.core.raise(code, to: target, reliably: isReliable, payload: payload.span)
      } catch {
        throw ClientError.notAllowed("\(error)")
      }
    }
    client.wake()
  }

  /// Calls a method of the room and waits for its answer. At most 16 calls may wait at a time.
  ///
  /// - Parameters:
  ///   - method: As the game defines it.
  ///   - payload: At most 1,024 bytes; the room kind may allow less.
  /// - Returns: The answer.
  /// - Throws: ``ClientError``: `callFailed` with the status, `connectionLost` when it is unknown whether the call was
  ///   carried out, `notAllowed`, `ended`; `CancellationError`, which does not take the call back: it counts among the
  ///   16 until its answer comes.
  public func call(_ method: UInt16, _ payload: [UInt8] = []) async throws -> [UInt8] {
    try Task.checkCancellation()
    let id = CallID()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { waiter in
        state.locked { state in
          do {
            try state.check(number)
            let number = try state.core.call(method, payload: payload.span)
            id.number = number
            state.awaitReply(number, waiter)
          } catch let error as ClientMisuse {
            waiter.resume(throwing: ClientError.notAllowed("\(error)"))
          } catch {
            waiter.resume(throwing: error)
          }
        }
        client.wake()
      }
    } onCancel: {
      state.locked { state in
        if let number = id.number { state.forgetCall(number, CancellationError()) }
      }
    }
  }
}

/// The id of a call, once it has one.
// @unchecked Sendable: touched under the state's lock only.
private final class CallID: @unchecked Sendable {
  var number: UInt32?
}
