/// Where the fields of an entity kind lie in its table, and how each is coded and checked.
@usableFromInline
package struct KindLayout: Sendable {
  package let index: KindIndex
  package let capacity: Int
  package let fields: [FieldLayout]
  /// The change mask with the bit of every field.
  package let allFields: UInt64
  package let columnCount: Int
  package let blobCount: Int
  /// Bytes that one entity has for its blobs.
  let blobRowBytes: Int
  /// Bytes that one entity takes in an ``EntityTable``, without its steps.
  package let rowBytes: Int
  /// Bytes of one entity's steps, where they are kept.
  package let stepBytes: Int
  /// Most bytes of one entity in an Input: its mask and all its values.
  let inputBound: Int
  /// Most bits that one changed entity adds to a keyframe, of which a frame is a part: its id and, for each field,
  /// whether it is there, its values and their steps.
  private let changedBits: Int
  /// Most bits that a section has for its fields and columns: who has each, and its parameters, with steps twice.
  private let headBits: Int

  /// Most bytes that a created entity adds besides its values: id, generation, owner.
  static let createdBound = 3 + 1 + 3
  /// Most bytes that a removed entity adds: its id.
  static let removedBound = 3
  /// Section head, three counts, two last bytes of bits that are not full.
  static let sectionOverhead = 2 + 3 * 4 + 2

  init(_ kind: EntityKind, index: KindIndex) {
    self.index = index
    capacity = kind.capacity
    var columns = 0
    var blobs = 0
    var blobRowBytes = 0
    var numbers = 0
    var fields: [FieldLayout] = []
    for field in kind.fields {
      fields.append(
        FieldLayout(
          field.type, firstColumn: columns, blob: blobs, blobOffset: blobRowBytes, columnNumber: numbers))
      columns += field.type.columnCount
      blobs += field.type.blobBytes == nil ? 0 : 1
      blobRowBytes += field.type.blobBytes ?? 0
      numbers += field.type.columnNumbers
    }
    self.fields = fields
    allFields = fieldMaskAll(fields.count)
    columnCount = columns
    blobCount = blobs
    self.blobRowBytes = blobRowBytes
    // Words, blobs with their lengths, generation, owner, presence bit.
    rowBytes = columns * 4 + blobRowBytes + blobs + 1 + 4 + 1
    stepBytes = columns * 4
    inputBound = varintLength(allFields) + kind.fields.reduce(0) { $0 + $1.type.codedBound }
    changedBits = fields.reduce(3 * 8) { $0 + $1.changedBits }
    headBits = 2 * fields.reduce(0) { $0 + Int(Presence.bits) + $1.columnCount * (Int(ColumnCode.parameterBits) + 1) }
  }

  /// Most bytes of this kind's section in a frame with these counts.
  package func sectionBound(removed: Int, created: Int, changed: Int) -> Int {
    Self.sectionOverhead + removed * Self.removedBound + created * Self.createdBound
      + (headBits + changed * changedBits + 7) / 8
  }
}

/// The mask of `count` fields, 1 to 64.
private func fieldMaskAll(_ count: Int) -> UInt64 { UInt64.max >> UInt64(64 - count) }

/// One field of a ``KindLayout``.
@usableFromInline
package struct FieldLayout: Sendable {
  /// How a value is coded against the old one (`docs/protocol.md` 5.1).
  enum Coding: Sendable {
    case difference
    case angle(steps: Int32)
    case quaternion
    case blob(maxBytes: Int, isText: Bool)
    case reference
  }

  package let type: FieldType
  let coding: Coding
  package let firstColumn: Int
  package let columnCount: Int
  /// Position among the blob fields of the kind; meaningless for others.
  package let blob: Int
  /// Where the blob begins among those of its entity, in bytes; meaningless for others.
  let blobOffset: Int
  /// First column number in the state hash.
  let columnNumber: Int
  /// Range of the quantised value; unsigned 32-bit values are compared by bit pattern, so they all pass.
  let low: Int32
  let high: Int32

  init(_ type: FieldType, firstColumn: Int, blob: Int, blobOffset: Int, columnNumber: Int) {
    self.type = type
    self.firstColumn = firstColumn
    self.blob = blob
    self.blobOffset = blobOffset
    self.columnNumber = columnNumber
    columnCount = type.columnCount
    switch type {
    case .bool: (coding, low, high) = (.difference, 0, 1)
    case .unsigned(let bits):
      (coding, low, high) =
        bits == 32
        ? (.difference, .min, .max) : (.difference, 0, Int32(truncatingIfNeeded: (Int64(1) << Int64(bits)) - 1))
    case .signed(let bits):
      let half = Int64(1) << Int64(bits - 1)
      (coding, low, high) = (.difference, Int32(-half), Int32(half - 1))
    case .fixed(let fixed), .vector(_, let fixed): (coding, low, high) = (.difference, fixed.low, fixed.high)
    case .angle(let steps): (coding, low, high) = (.angle(steps: Int32(steps)), 0, Int32(steps - 1))
    case .quaternion(let bits):
      let most = Int32(1) << Int32(bits - 1) - 1
      (coding, low, high) = (.quaternion, -most, most)
    case .string(let maxBytes): (coding, low, high) = (.blob(maxBytes: maxBytes, isText: true), 0, 0)
    case .bytes(let maxBytes): (coding, low, high) = (.blob(maxBytes: maxBytes, isText: false), 0, 0)
    case .reference: (coding, low, high) = (.reference, 0, .max)
    }
  }

  /// The columns of this field whose values are foretold from the step before (`docs/protocol.md` 7.1).
  var foretold: Range<Int> {
    switch type {
    case .fixed, .vector, .angle: 0..<columnCount
    case .quaternion: 1..<columnCount
    case .bool, .unsigned, .signed, .string, .bytes, .reference: 0..<0
    }
  }

  /// Least and greatest value of a column; a reference must also name a kind and an id.
  @inline(__always)
  func bounds(ofColumn column: Int) -> (low: Int32, high: Int32) {
    if case .quaternion = coding, column == 0 { return (0, 3) }
    return (low, high)
  }

  /// Most bits that the field of one entity takes in a keyframe, steps included: one says whether it is there.
  var changedBits: Int {
    if case .blob(let maxBytes, _) = coding { return 1 + 8 * (varintLength(UInt64(maxBytes)) + maxBytes) }
    return (0..<columnCount).reduce(foretold.isEmpty ? 1 : 2) { sum, column in
      let (low, high) = bounds(ofColumn: column)
      // From any value, or from the zero of a new entity, to any other.
      let widest = max(Int64(high) - Int64(low), Int64(low.magnitude), Int64(high.magnitude))
      let width = min(32, 64 - (2 * widest).leadingZeroBitCount)
      guard foretold.contains(column) else { return sum + ColumnCode.mostBits(width: width) }
      // A value differs from what was foretold by at most two such ways.
      return sum + ColumnCode.mostBits(width: min(32, width + 1)) + ColumnCode.mostBits(width: width)
    }
  }

  /// Whether a quantised value is allowed in column `column` (0 ..< columnCount) of this field.
  package func accepts(_ word: Int32, column: Int, in layouts: [KindLayout]) -> Bool {
    switch coding {
    case .quaternion: column == 0 ? (0...3).contains(word) : (low...high).contains(word)
    case .reference: acceptsReference(word, in: layouts)
    default: word >= low && word <= high
    }
  }

  private func acceptsReference(_ word: Int32, in layouts: [KindLayout]) -> Bool {
    if word == 0 { return true }
    guard word > 0 else { return false }
    let kind = Int((word - 1) & 31)
    let id = Int((word - 1) >> 5)
    return kind < layouts.count && id < layouts[kind].capacity
  }
}
