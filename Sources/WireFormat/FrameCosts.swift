/// What the parts of frames took, counted by the decoder.
package struct FrameCosts: Sendable {
  /// A part of a frame that belongs to no field.
  package enum Part: Int, CaseIterable, Sendable {
    /// Flags, tick and span.
    case head
    case events
    /// The number of sections and the head of each.
    case sections
    /// Entities removed and created.
    case births
    /// Which entities changed.
    case ids
    /// The steps of a keyframe.
    case steps
    /// Bits that fill the last byte of others.
    case padding
  }

  /// What one field took.
  package struct FieldCost: Equatable, Sendable {
    /// Bits that say which entities have it.
    package var presenceBits: UInt64 = 0
    /// Bits of its values, with the parameters of its columns.
    package var valueBits: UInt64 = 0
    /// Entities that had it.
    package var values: UInt64 = 0
  }

  package private(set) var bits: [UInt64] = Array(repeating: 0, count: Part.allCases.count)
  /// By kind and field.
  package private(set) var fields: [[FieldCost]]
  /// Changed entities, by kind.
  package private(set) var updates: [UInt64]

  package init(_ schema: Schema) {
    fields = schema.layouts.map { Array(repeating: FieldCost(), count: $0.fields.count) }
    updates = Array(repeating: 0, count: schema.layouts.count)
  }

  /// Bits of all parts and fields.
  package var totalBits: UInt64 {
    bits.reduce(0, +) + fields.joined().reduce(0) { $0 + $1.presenceBits + $1.valueBits }
  }

  package mutating func add(_ other: FrameCosts) {
    for index in bits.indices { bits[index] += other.bits[index] }
    for kind in fields.indices {
      updates[kind] += other.updates[kind]
      for field in fields[kind].indices {
        fields[kind][field].presenceBits += other.fields[kind][field].presenceBits
        fields[kind][field].valueBits += other.fields[kind][field].valueBits
        fields[kind][field].values += other.fields[kind][field].values
      }
    }
  }

  mutating func count(_ part: Part, bytes: Int) { count(part, bits: bytes * 8) }

  mutating func count(_ part: Part, bits count: Int) { bits[part.rawValue] += UInt64(count) }

  mutating func countUpdates(of kind: Int, _ count: Int) { updates[kind] += UInt64(count) }

  mutating func countPresence(of kind: Int, _ field: Int, bits: Int, present: Int) {
    fields[kind][field].presenceBits += UInt64(bits)
    fields[kind][field].values += UInt64(present)
  }

  mutating func countValues(of kind: Int, _ field: Int, bits: Int) { fields[kind][field].valueBits += UInt64(bits) }
}
