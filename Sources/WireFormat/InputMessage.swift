/// An Input of a client, read entry by entry: `docs/protocol.md` section 6.
///
/// ```swift
/// var input = try InputReader(body)
/// while let entry = try input.next(body, into: &scratch, schema) { ... }
/// ```
package struct InputReader: Sendable {
  package let sequence: UInt32
  private var at = 0
  private var left: Int

  /// One entity of an input: which, and which fields follow.
  package struct Entry: Equatable, Sendable {
    package let entity: EntityID
    package let mask: UInt64
  }

  package init(_ body: Span<UInt8>) throws(WireError) {
    sequence = try body.varint32(&at, "sequence")
    left = try body.varint(&at, in: 0...UInt64(WireLimits.inputEntries), "count")
  }

  /// How many entries an Input says it has, before anything of it is checked; 0 for one that cannot be read so far.
  package static func entryCount(_ body: Span<UInt8>) -> Int {
    var at = 0
    while at < body.count, body[at] >= 0x80 { at += 1 }
    at += 1
    guard at < body.count else { return 0 }
    let low = Int(body[at])
    guard low >= 0x80 else { return low }
    return at + 1 < body.count ? min((low & 0x7F) | Int(body[at + 1]) << 7, WireLimits.inputEntries) : 0
  }

  /// Reads the next entry's values into row 0 of the scratch table of its kind; nil after the last entry.
  ///
  /// - Parameter scratch: one table a kind with row 0 present; see ``scratch(_:)``.
  package mutating func next(
    _ body: Span<UInt8>, into scratch: inout [EntityTable], _ schema: Schema
  ) throws(WireError) -> Entry? {
    guard left > 0 else {
      try body.end(at)
      return nil
    }
    left -= 1
    let start = at
    let kind = try body.varint(&at, "kind")
    guard kind < UInt64(scratch.count) else { throw WireError(.outOfRange, at: start, "kind") }
    let index = Int(kind)
    let idStart = at
    let id = try body.varint(&at, "id")
    guard id < UInt64(scratch[index].layout.capacity) else { throw WireError(.outOfRange, at: idStart, "id") }
    let maskStart = at
    let mask = try body.varint(&at, "mask")
    guard mask != 0, mask & ~scratch[index].layout.allFields == 0 else {
      throw WireError(.outOfRange, at: maskStart, "mask")
    }
    try scratch[index].decodeValues(of: 0, mask: mask, body, at: &at, in: schema.layouts)
    return Entry(entity: EntityID(kind: KindIndex(UInt8(index)), id: UInt16(id)), mask: mask)
  }

  /// Tables with the one row that ``next(_:into:_:)`` fills.
  package static func scratch(_ schema: Schema) -> [EntityTable] {
    schema.layouts.map { layout in
      var table = EntityTable(layout, rows: 1)
      table.insert(0, generation: 0, owner: 0)
      return table
    }
  }
}

/// Writes an Input: the named fields of entities as they stand in tables.
package enum InputWriter {
  /// - Parameter entries: entity, mask and the row of its kind's table that holds the values.
  package static func encode(
    sequence: UInt32, _ entries: [(entity: EntityID, mask: UInt64, row: Int)], from tables: [EntityTable],
    into out: inout OutputRawSpan
  ) {
    let bound = entries.reduce(16) { $0 + 16 + tables[Int($1.entity.kind.rawValue)].layout.inputBound }
    out.put(.input, bound: bound) { out in
      out.put(varint: UInt64(sequence))
      out.put(varint: entries.count)
      for entry in entries {
        out.put(varint: UInt64(entry.entity.kind.rawValue))
        out.put(varint: UInt64(entry.entity.id))
        out.put(varint: entry.mask)
        tables[Int(entry.entity.kind.rawValue)].encodeValues(of: entry.row, mask: entry.mask, into: &out)
      }
    }
  }

  /// Most bytes of such a message.
  package static func bound(
    _ entries: [(entity: EntityID, mask: UInt64, row: Int)], from tables: [EntityTable]
  ) -> Int {
    entries.reduce(16 + messageOverhead) { $0 + 16 + tables[Int($1.entity.kind.rawValue)].layout.inputBound }
  }
}
