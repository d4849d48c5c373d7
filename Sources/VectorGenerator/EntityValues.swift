import WireFormat

/// The quantised values of an entity as the `values` of a vector: one item a field.
enum EntityValues {
  static func items(of id: Int, mask: UInt64, in table: EntityTable) -> [JSONValue] {
    var items: [JSONValue] = []
    for (index, field) in table.layout.fields.enumerated() where mask & (1 << UInt64(index)) != 0 {
      items.append(item(field, of: id, in: table))
    }
    return items
  }

  private static func item(_ field: FieldLayout, of id: Int, in table: EntityTable) -> JSONValue {
    if field.type.blobBytes != nil {
      let bytes = table.withBlob(field, id) { $0.array(0..<$0.count) }
      if case .string = field.type { return .string(String(decoding: bytes, as: UTF8.self)) }
      return .hex(bytes)
    }
    let numbers = (0..<field.columnCount).map { number(field.type, table.word(field.firstColumn + $0, id)) }
    return field.columnCount == 1 ? numbers[0] : .array(numbers)
  }

  /// Unsigned types fill all 32 bits: their values are told as such.
  static func number(_ type: FieldType, _ word: Int32) -> JSONValue {
    switch type {
    case .unsigned, .reference, .bool, .angle: .int(Int(UInt32(bitPattern: word)))
    default: .int(Int(word))
    }
  }

  /// Stores an item into a field of a present entity.
  static func store(_ item: JSONValue, _ field: FieldLayout, of id: Int, in table: inout EntityTable) throws {
    switch (field.type, item) {
    case (.string, .string(let text)):
      let bytes = Array(text.utf8)
      table.setBlob(field, id, bytes.span)
    case (.bytes, .string(let hex)):
      let bytes = WireHex.bytes(hex) ?? []
      table.setBlob(field, id, bytes.span)
    case (_, .int(let number)): table.setWord(field.firstColumn, id, Int32(truncatingIfNeeded: number))
    case (_, .array(let numbers)) where numbers.count == field.columnCount:
      for (column, number) in numbers.enumerated() {
        guard case .int(let word) = number else { throw VectorFault("no number: \(number)") }
        table.setWord(field.firstColumn + column, id, Int32(truncatingIfNeeded: word))
      }
    default: throw VectorFault("\(item) is no value of a \(field.type)")
    }
  }
}
