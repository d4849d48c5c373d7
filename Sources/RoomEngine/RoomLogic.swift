public import WireFormat

/// The rules of a game: what happens in one room. Called on the room's loop only, never at the same time as anything
/// else of the room.
///
/// Calls must return quickly: the whole loop waits. All have defaults, so a game writes only what it needs.
///
/// ```swift
/// final class Tag: RoomLogic {
///   func joined(_ player: PlayerID, options: [UInt8], in room: Room) { ... }
///   func tick(_ room: Room) { ... }
/// }
/// ```
public protocol RoomLogic: AnyObject {
  /// The room has been created; make its first entities here.
  func opened(_ room: Room)

  /// Whether a player may have a seat. Capacity and the lock have been checked. `options` are the client's own bytes,
  /// at most 1,024.
  func admit(options: [UInt8], in room: Room) -> Admission

  /// A player has a seat.
  func joined(_ player: PlayerID, options: [UInt8], in room: Room)

  /// A player's connection is lost; the seat waits for the grace period.
  func disconnected(_ player: PlayerID, in room: Room)

  /// A player is back on its seat.
  func resumed(_ player: PlayerID, in room: Room)

  /// A player's seat is given up. Entities that the player owns are removed after this call.
  func left(_ player: PlayerID, in room: Room)

  /// A player moved one of its own entities: `input` holds the values it asks for, already checked against the schema's
  /// ranges. Nothing has changed yet.
  ///
  /// The default does what the player asks.
  func input(_ input: Input, from player: PlayerID, in room: Room)

  /// A player raised an event. Return true to pass it on to its targets, false to drop it.
  func event(_ event: IncomingEvent, from player: PlayerID, in room: Room) -> Bool

  /// A player calls a method. `payload` is at most the kind's `payloadBytes`.
  func call(_ method: UInt16, payload: [UInt8], from player: PlayerID, in room: Room) -> CallOutcome

  /// One step of the game, after the players' messages of this tick.
  func tick(_ room: Room)

  /// The server is about to stop. The room goes on as before, without new players (see
  /// ``Room/acceptsPlayersWhileEnding``), and has until `deadline` to finish: bring the match to its end and call
  /// ``Room/end(_:)``, now or in a later tick. A room that goes on then is closed soon after its deadline; its players'
  /// connections end with reason `draining`.
  ///
  /// Called at the start of a tick, before the players' messages. Called again when the deadline is brought forward; it
  /// is never put off. It may be a tick that is past, when the server was held up. Not called when the server stops at
  /// once.
  func ending(_ room: Room, deadline: Tick)
}

extension RoomLogic {
  /// Does nothing.
  public func opened(_ room: Room) {}
  /// Admits everyone.
  public func admit(options: [UInt8], in room: Room) -> Admission { .admit }
  /// Does nothing.
  public func joined(_ player: PlayerID, options: [UInt8], in room: Room) {}
  /// Does nothing.
  public func disconnected(_ player: PlayerID, in room: Room) {}
  /// Does nothing.
  public func resumed(_ player: PlayerID, in room: Room) {}
  /// Does nothing.
  public func left(_ player: PlayerID, in room: Room) {}
  /// Does what the player asks.
  public func input(_ input: Input, from player: PlayerID, in room: Room) { room.apply(input) }
  /// Passes every event on.
  public func event(_ event: IncomingEvent, from player: PlayerID, in room: Room) -> Bool { true }
  /// Knows no method.
  public func call(_ method: UInt16, payload: [UInt8], from player: PlayerID, in room: Room) -> CallOutcome {
    .failure(.unknownMethod)
  }
  /// Does nothing.
  public func tick(_ room: Room) {}
  /// Does nothing: the room goes on until it is done or its time is over.
  public func ending(_ room: Room, deadline: Tick) {}
}

/// What a game says to a player who wants in.
public enum Admission: Equatable, Sendable {
  /// Give it a seat.
  case admit
  /// Refuse for want of room, with this text (at most 512 bytes); the client may try again.
  case full(String)
  /// Refuse with this text, which the client sees (at most 512 bytes).
  case reject(String)
}

/// How a call ends.
public enum CallOutcome: Equatable, Sendable {
  /// The answer, at most the kind's `payloadBytes`; a longer one becomes a rejection.
  case reply([UInt8])
  /// The game says no; the client sees the text, cut to the kind's `payloadBytes`.
  case reject(String)
  /// No such method, or a payload that does not suit it.
  case failure(CallFailure)
  /// The answer comes with ``Room/reply(to:with:)`` in a later tick.
  case later
}

/// Failures that a game may report for a call.
public enum CallFailure: Equatable, Sendable {
  /// No such method.
  case unknownMethod
  /// The payload does not suit the method.
  case payloadInvalid
}

/// An event that a player raised.
public struct IncomingEvent: Sendable {
  /// Whether it must reach every target exactly once.
  public let isReliable: Bool
  /// Whom it is for.
  public let target: EventTarget
  /// 16 to 65,535.
  public let code: UInt16
  /// At most the kind's `payloadBytes`.
  public let payload: [UInt8]
}
