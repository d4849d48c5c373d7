import TickServer

/// What a game of tag synchronises.
struct TagFields {
  let schema: Schema
  let runner: KindIndex
  let position: FieldKey<SIMD2<Double>>
  let isIt: FieldKey<Bool>

  init() throws(SchemaError) {
    schema = try Schema([
      EntityKind(
        "runner", capacity: 40,
        fields: [
          Field("position", .vector(2, range: -20...20, step: 0.01)),
          Field("isIt", .bool),
        ])
    ])
    position = try schema.key("runner", "position")
    isIt = try schema.key("runner", "isIt")
    runner = position.kind
  }
}

/// Somebody was caught, and is it from now on.
struct Tagged: GameEvent, Equatable {
  static let code: UInt16 = 16
  var player: PlayerID

  init(player: PlayerID) { self.player = player }

  init(from payload: inout PayloadReader) throws(WireError) { player = try payload.player() }

  func write(to payload: inout PayloadWriter) { payload.put(player) }
}
