/// Encodes what changed since the last frame, and keyframes: `docs/protocol.md` section 7.
///
/// Holds scratch space only, sized once, so that encoding allocates nothing; one encoder serves all rooms of a loop.
package struct FrameEncoder {
  /// The changed entities of the section at hand, ascending.
  var ids: [UInt16]
  /// For each of `ids` its changed fields.
  var masks: [UInt64]
  /// Those of `ids` that have the field at hand, or that the section leaves out.
  var members: [UInt16]
  /// What is to be written of a column: differences to the last values, and to what was foretold.
  var differences: [UInt32]
  var surprises: [UInt32]
  var widths = WidthCounts()

  /// Bytes of scratch an entity.
  package static let scratchBytes = 2 + 8 + 2 + 4 + 4

  /// - Parameter entities: the largest capacity of any kind that will be encoded.
  package init(entities: Int) {
    ids = Array(repeating: 0, count: entities)
    masks = Array(repeating: 0, count: entities)
    members = Array(repeating: 0, count: entities)
    differences = Array(repeating: 0, count: entities)
    surprises = Array(repeating: 0, count: entities)
  }

  /// Most bytes of the state part of a frame or keyframe of these kinds, whatever changes.
  package static func stateBound(_ layouts: [KindLayout]) -> Int {
    layouts.reduce(3) {
      $0 + $1.sectionBound(removed: $1.capacity, created: $1.capacity, changed: $1.capacity)
    }
  }

  /// Writes the state part of a frame and makes the current state the baseline.
  ///
  /// - Returns: whether anything changed; when not, nothing is written.
  package mutating func encodeChanges(
    of tables: inout [TrackedTable], into out: inout OutputRawSpan
  ) -> Bool {
    var sections = 0
    let mark = out.byteCount
    for index in tables.indices where tables[index].touchedAny {
      let changed = findChanges(&tables[index])
      let isEmpty = changed == 0 && isClear(tables[index].created) && isClear(tables[index].removed)
      if !isEmpty {
        // The number of sections is at most 32: one byte, patched in below by writing it first.
        if sections == 0 { out.put(byte: 0) }
        sections += 1
        encodeSection(&tables[index], changed: changed, into: &out)
      }
      tables[index].settle()
    }
    if sections > 0 { out.replaceByte(at: mark, with: UInt8(sections)) }
    return sections > 0
  }

  /// Writes the state part of a keyframe: the baselines against the zero state, and their steps.
  ///
  /// - Returns: whether there is any entity; when not, nothing is written.
  package mutating func encodeKeyframe(of tables: [TrackedTable], into out: inout OutputRawSpan) -> Bool {
    let sections = tables.count { $0.baseline.count > 0 }
    guard sections > 0 else { return false }
    out.put(varint: sections)
    for index in tables.indices where tables[index].baseline.count > 0 {
      let table = tables[index].baseline
      let changed = findNonZero(table)
      out.put(varint: Int(table.layout.index.rawValue) << 3 | 2 | (changed > 0 ? 4 : 0))
      encodeCreated(table.presence, of: table, into: &out)
      if changed > 0 {
        encodeIDs(changed, of: table.presence, into: &out)
        encodeAgainstZero(table, changed, into: &out)
        encodeBlobs(of: table, changed, into: &out)
        encodeSteps(table, changed, into: &out)
      }
    }
    return true
  }

  // MARK: Sections

  private mutating func encodeSection(_ table: inout TrackedTable, changed: Int, into out: inout OutputRawSpan) {
    let hasRemoved = !isClear(table.removed)
    let hasCreated = !isClear(table.created)
    let flags = (hasRemoved ? 1 : 0) | (hasCreated ? 2 : 0) | (changed > 0 ? 4 : 0)
    out.put(varint: Int(table.current.layout.index.rawValue) << 3 | flags)
    if hasRemoved { encodeSet(table.removed, into: &out) }
    if hasCreated { encodeCreated(table.created, of: table.current, into: &out) }
    guard changed > 0 else { return }
    encodeIDs(changed, of: table.current.presence, into: &out)
    encodeDifferences(&table, changed, into: &out)
    encodeBlobs(of: table.current, changed, into: &out)
    takeOverBlobs(&table, changed)
    // Its first values say nothing of how an entity moves.
    if hasCreated { forEachBit(table.created) { table.baseline.forgetSteps($0) } }
  }

  private func encodeSet(_ bits: [UInt64], into out: inout OutputRawSpan) {
    out.put(varint: bits.reduce(0) { $0 + $1.nonzeroBitCount })
    var next = 0
    for word in bits.indices {
      var rest = bits[word]
      while rest != 0 {
        let id = word * 64 + rest.trailingZeroBitCount
        out.put(varint: id - next)
        next = id + 1
        rest &= rest - 1
      }
    }
  }

  private func encodeCreated(_ bits: [UInt64], of table: EntityTable, into out: inout OutputRawSpan) {
    encodeSet(bits, into: &out)
    for word in bits.indices {
      var rest = bits[word]
      while rest != 0 {
        let id = word * 64 + rest.trailingZeroBitCount
        out.put(byte: table.generations[id])
        out.put(varint: UInt64(table.owners[id]))
        rest &= rest - 1
      }
    }
  }
}

private func isClear(_ bits: [UInt64]) -> Bool {
  for word in bits where word != 0 { return false }
  return true
}
