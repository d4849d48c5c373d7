import WireFormat

/// What is synchronised in the simulation: every field type, two kinds with few ids, so that ids rest and come again.
struct RandomSchema {
  static let avatar = KindIndex(0)
  static let crate = KindIndex(1)

  let schema: Schema
  let position: FieldKey<SIMD2<Double>>
  let yaw: FieldKey<Double>
  let turn: FieldKey<Quaternion>
  let name: FieldKey<String>
  let level: FieldKey<Int>
  let holder: FieldKey<EntityID?>

  init() throws {
    schema = try Schema([
      EntityKind(
        "avatar", capacity: 12,
        fields: [
          Field("position", .vector(2, range: -100...100, step: 0.5)),
          Field("yaw", .angle(steps: 360)),
          Field("turn", .quaternion(bits: 10)),
          Field("name", .string(maxBytes: 12)),
        ]),
      EntityKind(
        "crate", capacity: 16, fields: [Field("level", .unsigned(bits: 8)), Field("holder", .reference)]),
    ])
    position = try schema.key("avatar", "position")
    yaw = try schema.key("avatar", "yaw")
    turn = try schema.key("avatar", "turn")
    name = try schema.key("avatar", "name")
    level = try schema.key("crate", "level")
    holder = try schema.key("crate", "holder")
  }
}
