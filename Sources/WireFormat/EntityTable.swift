/// The entities of one kind, in columns of quantised values indexed by entity id.
///
/// The same table is a room's state, the state as of its last frame, and a client's mirror. Absent entities hold the
/// zero state in all their columns.
package struct EntityTable: Sendable {
  package let layout: KindLayout
  /// Ids 0 ..< rows have storage; grows by doubling up to the kind's capacity.
  package private(set) var rows: Int
  /// One bit an id.
  package internal(set) var presence: [UInt64]
  package internal(set) var generations: [UInt8]
  /// 0 for none, else player id + 1.
  package internal(set) var owners: [UInt32]
  /// Column-major: `words[column * rows + id]`.
  var words: [Int32]
  /// By how much each value last changed, like `words`; what the next change is foretold from. Empty where nobody codes
  /// or decodes frames.
  package internal(set) var steps: [Int32]
  private let keepsSteps: Bool
  /// Row-major, unlike numbers: an entity's blobs are read and written one after the other, and each field of all would be
  /// a page of its own. Each blob has room for its `maxBytes`.
  private var blobBytes: [UInt8]
  private var blobLengths: [UInt8]
  /// How many entities are present.
  package private(set) var count = 0

  /// - Parameters:
  ///   - rows: ids to make room for at once; a room takes the whole capacity so that a tick never allocates.
  ///   - keepsSteps: whether frames are coded or decoded against this table.
  package init(_ layout: KindLayout, rows: Int, keepsSteps: Bool = false) {
    self.layout = layout
    self.keepsSteps = keepsSteps
    self.rows = rows
    presence = Array(repeating: 0, count: (rows + 63) / 64)
    generations = Array(repeating: 0, count: rows)
    owners = Array(repeating: 0, count: rows)
    words = Array(repeating: 0, count: rows * layout.columnCount)
    steps = Array(repeating: 0, count: keepsSteps ? words.count : 0)
    blobBytes = Array(repeating: 0, count: rows * layout.blobRowBytes)
    blobLengths = Array(repeating: 0, count: rows * layout.blobCount)
  }

  package func contains(_ id: Int) -> Bool {
    id < rows && presence[id >> 6] & (1 << UInt64(id & 63)) != 0
  }

  /// The owner of a present entity, or nil when the server owns it.
  package func owner(of id: Int) -> PlayerID? {
    owners[id] == 0 ? nil : PlayerID(rawValue: UInt16(truncatingIfNeeded: owners[id] - 1))
  }

  /// Adds an entity in the zero state.
  package mutating func insert(_ id: Int, generation: UInt8, owner: UInt32) {
    presence[id >> 6] |= 1 << UInt64(id & 63)
    generations[id] = generation
    owners[id] = owner
    count += 1
  }

  /// Removes an entity and brings its columns back to zero.
  package mutating func remove(_ id: Int) {
    presence[id >> 6] &= ~(1 << UInt64(id & 63))
    for column in 0..<layout.columnCount { words[column * rows + id] = 0 }
    for blob in 0..<layout.blobCount { blobLengths[id * layout.blobCount + blob] = 0 }
    forgetSteps(id)
    owners[id] = 0
    count -= 1
  }

  /// Nothing is known of how an entity moves.
  mutating func forgetSteps(_ id: Int) {
    guard keepsSteps else { return }
    for column in 0..<layout.columnCount { steps[column * rows + id] = 0 }
  }

  package mutating func removeAll() {
    for index in presence.indices { presence[index] = 0 }
    for index in words.indices { words[index] = 0 }
    for index in steps.indices { steps[index] = 0 }
    for index in blobLengths.indices { blobLengths[index] = 0 }
    for index in owners.indices { owners[index] = 0 }
    count = 0
  }

  package func word(_ column: Int, _ id: Int) -> Int32 { words[column * rows + id] }

  package mutating func setWord(_ column: Int, _ id: Int, _ value: Int32) { words[column * rows + id] = value }

  /// Ids present, ascending.
  package func forEach(_ body: (Int) -> Void) { forEachBit(presence, body) }

  // MARK: Blobs

  private func blobStart(_ field: FieldLayout, _ id: Int) -> Int { id * layout.blobRowBytes + field.blobOffset }

  private func lengthIndex(_ field: FieldLayout, _ id: Int) -> Int { id * layout.blobCount + field.blob }

  package func blobLength(_ field: FieldLayout, _ id: Int) -> Int { Int(blobLengths[lengthIndex(field, id)]) }

  /// Calls `body` with the bytes of a blob.
  package func withBlob<Result>(_ field: FieldLayout, _ id: Int, _ body: (Span<UInt8>) -> Result) -> Result {
    let start = blobStart(field, id)
    return body(blobBytes.span.extracting(start..<(start + blobLength(field, id))))
  }

  /// Replaces a blob; the caller has checked the length against the field.
  package mutating func setBlob(_ field: FieldLayout, _ id: Int, _ bytes: Span<UInt8>) {
    let start = blobStart(field, id)
    blobBytes.withUnsafeMutableBytes { all in
      let slot = UnsafeMutableRawBufferPointer(rebasing: all[start..<(start + bytes.count)])
      bytes.withUnsafeBytes { slot.copyMemory(from: $0) }
    }
    blobLengths[lengthIndex(field, id)] = UInt8(truncatingIfNeeded: bytes.count)
  }

  /// Replaces a blob by one of another table of the same kind.
  ///
  /// - Parameter source: only read; `inout`, so that it is read where it is.
  mutating func copyBlob(_ field: FieldLayout, _ id: Int, from source: inout EntityTable, _ row: Int) {
    let (start, sourceStart, length) = (
      blobStart(field, id), source.blobStart(field, row), source.blobLength(field, row)
    )
    blobBytes.withUnsafeMutableBytes { all in
      source.blobBytes.withUnsafeBytes { bytes in
        UnsafeMutableRawBufferPointer(rebasing: all[start..<(start + length)])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[sourceStart..<(sourceStart + length)]))
      }
    }
    blobLengths[lengthIndex(field, id)] = UInt8(truncatingIfNeeded: length)
  }

  package func blobEquals(_ field: FieldLayout, _ id: Int, in other: EntityTable) -> Bool {
    let length = blobLength(field, id)
    guard length == other.blobLength(field, id) else { return false }
    let start = blobStart(field, id)
    let otherStart = other.blobStart(field, id)
    return blobBytes.withUnsafeBytes { mine in
      other.blobBytes.withUnsafeBytes { others in
        isEqual(mine[start..<(start + length)], others[otherStart..<(otherStart + length)])
      }
    }
  }

  // MARK: Growth

  /// Makes room for `id`, which is below the kind's capacity.
  package mutating func makeRoom(for id: Int) {
    guard id >= rows else { return }
    var larger = EntityTable(layout, rows: min(layout.capacity, max(16, rows * 2, id + 1)), keepsSteps: keepsSteps)
    forEach { id in
      larger.insert(id, generation: generations[id], owner: owners[id])
      for column in 0..<layout.columnCount {
        larger.setWord(column, id, word(column, id))
        if keepsSteps { larger.steps[column * larger.rows + id] = steps[column * rows + id] }
      }
      for field in layout.fields where field.type.blobBytes != nil {
        withBlob(field, id) { larger.setBlob(field, id, $0) }
      }
    }
    self = larger
  }
}

/// Whether both have the same bytes, of which there are as many in each; eight at a time.
private func isEqual(_ left: Slice<UnsafeRawBufferPointer>, _ right: Slice<UnsafeRawBufferPointer>) -> Bool {
  let (left, right) = (UnsafeRawBufferPointer(rebasing: left), UnsafeRawBufferPointer(rebasing: right))
  var at = 0
  while at + 8 <= left.count {
    let pair = (
      left.loadUnaligned(fromByteOffset: at, as: UInt64.self), right.loadUnaligned(fromByteOffset: at, as: UInt64.self)
    )
    guard pair.0 == pair.1 else { return false }
    at += 8
  }
  while at < left.count {
    guard left[at] == right[at] else { return false }
    at += 1
  }
  return true
}

/// Calls `body` with the positions of the set bits, ascending.
package func forEachBit(_ bits: [UInt64], _ body: (Int) -> Void) {
  for index in bits.indices {
    var rest = bits[index]
    while rest != 0 {
      body(index * 64 + rest.trailingZeroBitCount)
      rest &= rest - 1
    }
  }
}
