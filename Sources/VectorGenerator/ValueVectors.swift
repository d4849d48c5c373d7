package import WireFormat

/// `values.json`: a value of each field type coded against zero, and what it means in its unit.
enum ValueVectors {
  static func vectors() throws -> [JSONValue] {
    let named: [(String, [JSONValue])] = [
      ("typical", SampleSchema.typical), ("lowest", SampleSchema.lowest), ("highest", SampleSchema.highest),
      ("near zero", [0, 1, -1, -1, [1, -1, 0], 359, [1, 0, 1, -1], "\u{0}", "00", 1]),
      ("halfway", [1, 127, 2, 128, [63, -64, 64], 180, [0, 255, -256, 0], "\u{1F44B}", "80", 33]),
    ]
    var vectors: [JSONValue] = []
    for (name, values) in named {
      for (index, value) in values.enumerated() {
        vectors.append(try vector("\(name) \(SampleSchema.full.kinds[0].fields[index].name)", field: index, value))
      }
    }
    return vectors
  }

  private static func vector(_ name: String, field index: Int, _ item: JSONValue) throws -> JSONValue {
    let schema = SampleSchema.full
    let field = schema.layouts[0].fields[index]
    var table = EntityTable(schema.layouts[0], rows: 1)
    table.insert(0, generation: 0, owner: 0)
    try EntityValues.store(item, field, of: 0, in: &table)
    let bytes = encodedBytes(bound: 1024) { table.encodeValues(of: 0, mask: 1 << UInt64(index), into: &$0) }
    return [
      "name": .string(name), "kind": "value", "schemaHex": .hex(schema.encoded), "field": .int(index),
      "hex": .hex(bytes), "columns": ValueDescription.columns(field, in: table),
      "value": ValueDescription.value(field, in: table),
    ]
  }
}

/// Row 0 of a table as a `value` vector tells it.
package enum ValueDescription {
  /// The quantised columns; none for blobs.
  package static func columns(_ field: FieldLayout, in table: EntityTable) -> JSONValue {
    .array((0..<field.columnCount).map { EntityValues.number(field.type, table.word(field.firstColumn + $0, 0)) })
  }

  /// The value in units: a number, a list, degrees for angles.
  package static func value(_ field: FieldLayout, in table: EntityTable) -> JSONValue {
    let words = (0..<field.columnCount).map { table.word(field.firstColumn + $0, 0) }
    switch field.type {
    case .fixed(let fixed): return .double(fixed.value(of: words[0]))
    case .vector(_, let fixed): return .array(words.map { .double(fixed.value(of: $0)) })
    case .angle(let steps): return .double(Double(words[0]) / Double(steps) * 360)
    case .quaternion(let bits):
      let rotation = Quaternion(index: words[0], a: words[1], b: words[2], c: words[3], bits: bits)
      return [.double(rotation.w), .double(rotation.x), .double(rotation.y), .double(rotation.z)]
    default: return EntityValues.items(of: 0, mask: 1 << UInt64(fieldIndex(field, in: table)), in: table)[0]
    }
  }

  private static func fieldIndex(_ field: FieldLayout, in table: EntityTable) -> Int {
    table.layout.fields.firstIndex {
      $0.type == field.type && $0.firstColumn == field.firstColumn && $0.blob == field.blob
    } ?? 0
  }
}
