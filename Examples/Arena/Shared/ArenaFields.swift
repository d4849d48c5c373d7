package import WireFormat

/// What an arena synchronises, and the keys to it. Server and clients share this file.
package struct ArenaFields: Sendable {
  /// All of it.
  package let schema: Schema

  /// One for each player; its owner proposes ``position`` and ``yaw``, the server sets the rest.
  package let avatar: KindIndex
  /// Metres from the middle of the arena.
  package let position: FieldKey<SIMD2<Double>>
  /// Where it looks, in degrees from +x towards +y.
  package let yaw: FieldKey<Double>
  /// 0 to 100.
  package let health: FieldKey<Int>
  /// Points for coins and frags.
  package let score: FieldKey<Int>
  /// Players shot.
  package let frags: FieldKey<Int>
  /// What the player calls itself.
  package let name: FieldKey<String>

  /// Lies on the ground until somebody walks over it.
  package let pickup: KindIndex
  /// Metres from the middle of the arena.
  package let place: FieldKey<SIMD2<Double>>
  /// Whether it heals; otherwise it scores.
  package let heals: FieldKey<Bool>

  /// Makes the schema and looks up its keys.
  package init() throws(SchemaError) {
    let ground = FieldType.vector(2, range: -ArenaRules.halfWidth...ArenaRules.halfWidth, step: 0.01)
    schema = try Schema([
      // Twice the players: the ids of those who left rest for a while.
      EntityKind(
        "avatar", capacity: ArenaRules.players * 2,
        fields: [
          Field("position", ground),
          Field("yaw", .angle(steps: 256)),
          Field("health", .unsigned(bits: 7)),
          Field("score", .unsigned(bits: 16)),
          Field("frags", .unsigned(bits: 16)),
          Field("name", .string(maxBytes: ArenaRules.nameBytes)),
        ]),
      EntityKind("pickup", capacity: 256, fields: [Field("place", ground), Field("heals", .bool)]),
    ])
    position = try schema.key("avatar", "position")
    yaw = try schema.key("avatar", "yaw")
    health = try schema.key("avatar", "health")
    score = try schema.key("avatar", "score")
    frags = try schema.key("avatar", "frags")
    name = try schema.key("avatar", "name")
    place = try schema.key("pickup", "place")
    heals = try schema.key("pickup", "heals")
    avatar = position.kind
    pickup = place.kind
  }
}
