import WireFormat

/// The table of `--bytes`: what each part of a frame takes, a frame and a changed entity.
package struct BytesTable {
  private let bytes: FrameBytes

  package init(_ bytes: FrameBytes) { self.bytes = bytes }

  /// A line of the table, or of the JSON report.
  struct Row {
    let part: String
    let bits: UInt64
    /// How many entities had it, where it belongs to a field.
    var values: UInt64?
  }

  package var text: String { table("frames", bytes.frames) + table("keyframes", bytes.keyframes) }

  private func table(_ name: String, _ sum: FrameBytes.FrameSum) -> String {
    guard sum.count > 0 else { return "" }
    let frames = Double(sum.count)
    let updates = Double(sum.costs.updates.reduce(0, +))
    var lines = [
      "",
      "\(Format.grouped(sum.count)) \(name) of \(Format.decimal(updates / frames, places: 1)) changed entities, "
        + "\(Format.decimal(Double(sum.bytes) / frames, places: 1)) bytes each, "
        + "\(Format.decimal(Double(sum.bytes) / updates, places: 3)) an entity; overhead "
        + "\(Format.decimal(Double(Self.overheadBits(sum)) / frames / 8, places: 1)) bytes a frame",
      line("", ["bytes a frame", "bits an entity", "share", "entities"]),
    ]
    for row in Self.rows(sum, bytes.schema) where row.bits > 0 {
      lines.append(
        line(
          row.part,
          [
            Format.decimal(Double(row.bits) / frames / 8, places: 2),
            Format.decimal(Double(row.bits) / updates, places: 2),
            Format.percent(Double(row.bits) / Double(sum.bytes * 8), places: 1),
            Format.percent(row.values.map { Double($0) / updates }, places: 1),
          ]))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func line(_ name: String, _ cells: [String]) -> String {
    name.padded(32) + cells.map { $0.leftPadded(16) }.joined()
  }

  /// What a frame takes before it says anything of an entity: length and type, its head, and the heads of its sections.
  static func overheadBits(_ sum: FrameBytes.FrameSum) -> UInt64 {
    sum.prefixBytes * 8 + bits(.head, sum) + bits(.sections, sum)
  }

  private static func bits(_ part: FrameCosts.Part, _ sum: FrameBytes.FrameSum) -> UInt64 {
    sum.costs.bits[part.rawValue]
  }

  static func rows(_ sum: FrameBytes.FrameSum, _ schema: Schema) -> [Row] {
    var rows = [
      Row(part: "length and type", bits: sum.prefixBytes * 8),
      Row(part: "flags, tick, span", bits: bits(.head, sum)),
      Row(part: "section heads", bits: bits(.sections, sum)),
      Row(part: "events", bits: bits(.events, sum)),
      Row(part: "removed and created", bits: bits(.births, sum)),
      Row(part: "which entities changed", bits: bits(.ids, sum)),
    ]
    for (kind, fields) in zip(schema.kinds, sum.costs.fields) {
      for (field, cost) in zip(kind.fields, fields) {
        let name = "\(kind.name).\(field.name)"
        rows.append(Row(part: "\(name): who has it", bits: cost.presenceBits))
        rows.append(Row(part: "\(name): values", bits: cost.valueBits, values: cost.values))
      }
    }
    rows.append(Row(part: "steps", bits: bits(.steps, sum)))
    rows.append(Row(part: "padding", bits: bits(.padding, sum)))
    return rows
  }

  // MARK: JSON

  var json: JSON { .object([("frames", json(bytes.frames)), ("keyframes", json(bytes.keyframes))]) }

  private func json(_ sum: FrameBytes.FrameSum) -> JSON {
    .object([
      ("count", .count(sum.count)), ("bytes", .count(sum.bytes)),
      ("changedEntities", .count(sum.costs.updates.reduce(0, +))), ("overheadBits", .count(Self.overheadBits(sum))),
      (
        "parts",
        .array(
          Self.rows(sum, bytes.schema).map { row in
            .object([
              ("part", .string(row.part)), ("bits", .count(row.bits)),
              ("values", row.values.map { .count($0) } ?? .null),
            ])
          })
      ),
    ])
  }
}
