import WireFormat

/// The schemas that the vectors use.
enum SampleSchema {
  /// Every field type, and a second kind with the most ids and 32-bit values.
  static let full = schema([
    EntityKind(
      "avatar", capacity: 300,
      fields: [
        Field("alive", .bool),
        Field("score", .unsigned(bits: 20)),
        Field("team", .signed(bits: 3)),
        Field("height", .fixed(range: -512...512, step: 0.01)),
        Field("position", .vector(3, range: -512...512, step: 0.01)),
        Field("yaw", .angle(steps: 360)),
        Field("rotation", .quaternion(bits: 10)),
        Field("name", .string(maxBytes: 24)),
        Field("tag", .bytes(maxBytes: 255)),
        Field("target", .reference),
      ]),
    EntityKind(
      "counter", capacity: 65536, fields: [Field("count", .unsigned(bits: 32)), Field("debt", .signed(bits: 32))]),
  ])

  /// Six flags, so that up to 63 masks may differ.
  static let flags = schema([
    EntityKind("lamp", capacity: 1000, fields: (0..<6).map { Field("bit\($0)", .bool) })
  ])

  /// Values of ``full``'s first kind.
  static let typical: [JSONValue] = [
    1, 1234, -2, 1750, [-100, 20000, 3], 90, [2, 100, -511, 7], "Zo\u{EB}", "00ff10", 34,
  ]
  static let lowest: [JSONValue] = [
    0, 0, -4, -51200, [-51200, -51200, -51200], 0, [0, -511, -511, -511], "", "", 0,
  ]
  static let highest: [JSONValue] = [
    1, 1_048_575, 3, 51200, [51200, 51200, 51200], 359, [3, 511, 511, 511],
    .string(String(repeating: "n", count: 24)), .hex(Array(repeating: 0xEE, count: 255)),
    // Kind 1, id 65535.
    2_097_122,
  ]

  static func schema(_ kinds: [EntityKind]) -> Schema {
    do { return try Schema(kinds) } catch {
      // The literals above are valid; a wrong edit must stop the generator.
      preconditionFailure("\(error)")
    }
  }
}
