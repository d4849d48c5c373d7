import WireFormat

/// Every field type, in two kinds.
enum SampleSchema {
  static let avatar = KindIndex(0)
  static let crate = KindIndex(1)

  /// Made once: a target runs thousands of times a second.
  static func make() throws(SchemaError) -> Schema { try made.get() }

  private static let made = Result { () throws(SchemaError) -> Schema in
    try Schema([
      EntityKind(
        "avatar", capacity: 12,
        fields: [
          Field("position", .vector(2, range: -100...100, step: 0.5)),
          Field("yaw", .angle(steps: 360)),
          Field("turn", .quaternion(bits: 10)),
          Field("name", .string(maxBytes: 12)),
          Field("flag", .bool),
          Field("height", .fixed(range: 1...9, step: 0.25)),
        ]),
      EntityKind(
        "crate", capacity: 16,
        fields: [
          Field("level", .unsigned(bits: 8)), Field("balance", .signed(bits: 32)), Field("tag", .bytes(maxBytes: 4)),
          Field("holder", .reference),
        ]),
    ])
  }
}
