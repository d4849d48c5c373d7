package import WireFormat

/// A state as the steps of a `frames` vector tell it, computed from the tables alone: no frame and no mirror is
/// involved.
package enum StateDescription {
  /// The entities in ascending (kind, id) order.
  package static func entities(_ tables: [EntityTable]) -> JSONValue {
    var entities: [JSONValue] = []
    for table in tables {
      for id in 0..<table.rows where table.contains(id) {
        let values = EntityValues.items(of: id, mask: table.layout.allFields, in: table)
        entities.append([
          "kind": .int(Int(table.layout.index.rawValue)), "id": .int(id),
          "generation": .int(Int(table.generations[id])),
          "owner": table.owner(of: id).map { .int(Int($0.rawValue)) } ?? .null, "values": .array(values),
        ])
      }
    }
    return .array(entities)
  }

  /// The state hash of `docs/protocol.md` 5.3, term by term.
  package static func hash(_ tables: [EntityTable]) -> UInt64 {
    var sum: UInt64 = 0
    for table in tables {
      for id in 0..<table.rows where table.contains(id) {
        let key = UInt64(table.layout.index.rawValue) << 56 | UInt64(id) << 32
        sum &+= mix(key | 0xFF << 48 | UInt64(table.generations[id]) << 24 | UInt64(table.owners[id]))
        for (column, value) in columns(of: id, in: table).enumerated() where value != 0 {
          sum &+= mix(key | UInt64(column) << 48 | UInt64(value))
        }
      }
    }
    return sum
  }

  /// The hashed value of each column number; a blob that has bytes is never 0 but by a freak of FNV.
  private static func columns(of id: Int, in table: EntityTable) -> [UInt32] {
    table.layout.fields.flatMap { field -> [UInt32] in
      guard field.type.blobBytes != nil else {
        return (0..<field.columnCount).map { UInt32(bitPattern: table.word(field.firstColumn + $0, id)) }
      }
      return [table.withBlob(field, id) { $0.isEmpty ? 0 : UInt32(truncatingIfNeeded: fnv1a64($0)) }]
    }
  }

  private static func mix(_ key: UInt64) -> UInt64 {
    var z = key
    z ^= z >> 30
    z &*= 0xbf58_476d_1ce4_e5b9
    z ^= z >> 27
    z &*= 0x94d0_49bb_1331_11eb
    z ^= z >> 31
    return z
  }
}
