package import WireFormat

/// `schema.json`: every field type at both ends of its parameters.
enum SchemaVectors {
  static func vectors() -> [JSONValue] {
    var vectors = [vector("every field type", SampleSchema.full), vector("flags", SampleSchema.flags)]
    for (name, types) in fields {
      let fields = types.enumerated().map { Field("f\($0.offset)", $0.element) }
      vectors.append(vector(name, SampleSchema.schema([EntityKind("k", capacity: 1, fields: fields)])))
    }
    let longName = String(repeating: "\u{E9}", count: 32)
    vectors.append(
      vector(
        "most kinds",
        SampleSchema.schema((0..<32).map { EntityKind("kind\($0)", capacity: 65536, fields: [Field("x", .bool)]) })))
    vectors.append(
      vector(
        "most fields and longest names",
        SampleSchema.schema([
          EntityKind(
            longName, capacity: 128,
            fields: [Field(longName, .bool)] + (1..<64).map { Field("f\($0)", .unsigned(bits: 8)) })
        ])))
    return vectors
  }

  private static let fields: [(String, [FieldType])] = [
    ("bool", [.bool]),
    ("unsigned", [.unsigned(bits: 1), .unsigned(bits: 31), .unsigned(bits: 32)]),
    ("signed", [.signed(bits: 1), .signed(bits: 31), .signed(bits: 32)]),
    (
      "fixed",
      [
        .fixed(FixedPoint(low: .min, high: .max, step: 1)), .fixed(FixedPoint(low: 0, high: 0, step: 1e-9)),
        .fixed(FixedPoint(low: 10, high: 20, step: 0.1)), .fixed(FixedPoint(low: -5, high: -1, step: 1e9)),
      ]
    ),
    (
      "vector",
      [
        .vector(2, FixedPoint(low: -1, high: 1, step: 0.5)), .vector(3, FixedPoint(low: 0, high: 300, step: 0.25)),
        .vector(4, FixedPoint(low: .min, high: .max, step: 2)),
      ]
    ),
    ("angle", [.angle(steps: 2), .angle(steps: 3), .angle(steps: 65536)]),
    ("quaternion", [.quaternion(bits: 2), .quaternion(bits: 15)]),
    ("string", [.string(maxBytes: 1), .string(maxBytes: 255)]),
    ("bytes", [.bytes(maxBytes: 1), .bytes(maxBytes: 255)]),
    ("reference", [.reference]),
  ]

  private static func vector(_ name: String, _ schema: Schema) -> JSONValue {
    [
      "name": .string(name), "kind": "schema", "hex": .hex(schema.encoded),
      "hash": .string(WireHex.text(schema.hash)), "kinds": SchemaDescription.kinds(schema),
    ]
  }
}

/// A schema as a vector tells it.
package enum SchemaDescription {
  package static func kinds(_ schema: Schema) -> JSONValue {
    .array(
      schema.kinds.map { kind in
        [
          "name": .string(kind.name), "capacity": .int(kind.capacity), "fields": .array(kind.fields.map(field)),
        ]
      })
  }

  private static func field(_ field: Field) -> JSONValue {
    var members: [String: JSONValue] = ["name": .string(field.name)]
    switch field.type {
    case .bool: members["type"] = "bool"
    case .unsigned(let bits): members.merge(["type": "unsigned", "bits": .int(bits)]) { _, new in new }
    case .signed(let bits): members.merge(["type": "signed", "bits": .int(bits)]) { _, new in new }
    case .fixed(let fixed): members.merge(parameters("fixed", fixed)) { _, new in new }
    case .vector(let components, let fixed):
      members.merge(parameters("vector", fixed)) { _, new in new }
      members["components"] = .int(components)
    case .angle(let steps): members.merge(["type": "angle", "steps": .int(steps)]) { _, new in new }
    case .quaternion(let bits): members.merge(["type": "quaternion", "bits": .int(bits)]) { _, new in new }
    case .string(let most): members.merge(["type": "string", "maxBytes": .int(most)]) { _, new in new }
    case .bytes(let most): members.merge(["type": "bytes", "maxBytes": .int(most)]) { _, new in new }
    case .reference: members["type"] = "reference"
    }
    return .object(members)
  }

  private static func parameters(_ type: String, _ fixed: FixedPoint) -> [String: JSONValue] {
    [
      "type": .string(type), "low": .int(Int(fixed.low)), "high": .int(Int(fixed.high)), "step": .double(fixed.step),
    ]
  }

  /// The schema that a vector describes.
  package static func schema(_ kinds: [JSONValue]) throws -> Schema {
    try Schema(
      kinds.map { kind in
        EntityKind(
          try kind.text("name"), capacity: Int(try kind.uint("capacity")),
          fields: try kind.list("fields").map { Field(try $0.text("name"), try type($0)) })
      })
  }

  private static func type(_ field: JSONValue) throws -> FieldType {
    switch try field.text("type") {
    case "bool": .bool
    case "unsigned": .unsigned(bits: Int(try field.uint("bits")))
    case "signed": .signed(bits: Int(try field.uint("bits")))
    case "fixed": .fixed(try fixed(field))
    case "vector": .vector(Int(try field.uint("components")), try fixed(field))
    case "angle": .angle(steps: Int(try field.uint("steps")))
    case "quaternion": .quaternion(bits: Int(try field.uint("bits")))
    case "string": .string(maxBytes: Int(try field.uint("maxBytes")))
    case "bytes": .bytes(maxBytes: Int(try field.uint("maxBytes")))
    case "reference": .reference
    default: throw VectorFault("no field type: \(field)")
    }
  }

  private static func fixed(_ field: JSONValue) throws -> FixedPoint {
    guard case .int(let low) = try field.member("low"), case .int(let high) = try field.member("high") else {
      throw VectorFault("no bounds: \(field)")
    }
    let step: Double
    switch try field.member("step") {
    case .int(let number): step = Double(number)
    case .double(let number): step = number
    default: throw VectorFault("no step: \(field)")
    }
    return FixedPoint(low: Int32(low), high: Int32(high), step: step)
  }
}
