package import WireFormat

/// A seat in a room, as its client knows it. It outlives its connection: what it holds is what a resume needs. Confined
/// to its core's thread; a class, so that looking at it copies nothing.
package final class RoomSeat {
  package let player: PlayerID
  package let generation: UInt32
  /// Hertz.
  package let tickRate: UInt32
  /// Server clock at tick 0.
  package let startMicroseconds: UInt64
  package let schema: Schema
  /// The state, if the core keeps one.
  package internal(set) var mirror: StateMirror?
  /// Tick of the last frame; nil before the first keyframe.
  package internal(set) var tick: Tick?
  /// Number of the last reliable event told.
  package internal(set) var lastEvent: UInt64
  /// Number of the last reliable whisper told.
  package internal(set) var lastWhisper: UInt64
  /// The players in the room, ascending.
  package internal(set) var players: [PlayerID]
  /// Sequence of the last input acknowledged; 0 before the first.
  package internal(set) var acknowledgedInput: UInt32 = 0
  /// Inputs that the room has dropped, since newer ones had come by their tick.
  package internal(set) var droppedInputs: UInt32 = 0
  /// Sequence of the last input sent over the connection that was lost, until the room says how far it came.
  var sentBeforeCut: UInt32?
  /// Sequence of the last input sent before this seat.
  let sentBeforeJoin: UInt32
  /// Set by a keyframe that skipped reliable events: the number of the last one that the next message must bring.
  var owedThrough: UInt64?
  /// Leave was sent: not worth a resume.
  var isLeaving = false

  init(_ joined: Joined, schema: Schema, keepingState: Bool, sentInput: UInt32) {
    sentBeforeJoin = sentInput
    player = joined.player
    generation = joined.generation
    tickRate = joined.tickRate
    startMicroseconds = joined.startMicroseconds
    self.schema = schema
    mirror = keepingState ? StateMirror(schema) : nil
    lastEvent = joined.lastEvent
    lastWhisper = joined.lastWhisper
    players = joined.players ?? []
  }

  /// Server clock in microseconds when a tick is due.
  package func dueMicroseconds(_ tick: Tick) -> UInt64 {
    startMicroseconds &+ UInt64(tick.rawValue) * 1_000_000 / UInt64(tickRate)
  }

  /// The tick, with its fraction, at a server clock in microseconds.
  package func tick(atMicroseconds time: UInt64) -> Double {
    Double(Int64(bitPattern: time &- startMicroseconds)) * Double(tickRate) / 1_000_000
  }

  func insert(_ player: PlayerID) {
    let position = players.firstIndex { $0 >= player } ?? players.count
    if position == players.count || players[position] != player { players.insert(player, at: position) }
  }

  func remove(_ player: PlayerID) {
    if let position = players.firstIndex(of: player) { players.remove(at: position) }
  }
}
