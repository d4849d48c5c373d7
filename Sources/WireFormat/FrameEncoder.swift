/// Encodes what changed since the last frame, and keyframes: `docs/protocol.md` section 7.
///
/// Holds scratch space only, sized once, so that encoding allocates nothing; one encoder serves all rooms of a loop.
package struct FrameEncoder {
  private var ids: [UInt16]
  private var masks: [UInt64]
  private var dictionary: [UInt64]
  private var indices: [UInt8]

  /// - Parameter entities: the largest capacity of any kind that will be encoded.
  package init(entities: Int) {
    ids = Array(repeating: 0, count: entities)
    masks = Array(repeating: 0, count: entities)
    indices = Array(repeating: 0, count: entities)
    dictionary = Array(repeating: 0, count: MaskDictionary.most)
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

  /// Writes the state part of a keyframe: the baselines against the zero state.
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
        encodeIDsAndMasks(changed, into: &out)
        for (field, layout) in table.layout.fields.enumerated() {
          encodeAgainstZero(layout, bit: 1 << UInt64(field), table, changed, into: &out)
        }
      }
    }
    return true
  }

  // MARK: What changed

  /// Fills `ids` and `masks` with the entities whose quantised values differ from the baseline, after births and deaths
  /// were applied to it.
  private mutating func findChanges(_ table: inout TrackedTable) -> Int {
    forEachBit(table.removed) { table.baseline.remove($0) }
    forEachBit(table.created) { id in
      table.baseline.insert(id, generation: table.current.generations[id], owner: table.current.owners[id])
    }
    var count = listIDs(table.touched)
    Self.findChangedWords(of: table, ids, &masks, count)
    for (field, layout) in table.current.layout.fields.enumerated() {
      let bit: UInt64 = 1 << UInt64(field)
      guard layout.columnCount == 0 else { continue }
      for index in 0..<count
      where !table.current.blobEquals(layout, Int(ids[index]), in: table.baseline) { masks[index] |= bit }
    }
    count = dropUnchanged(count)
    return count
  }

  private static func findChangedWords(
    of table: borrowing TrackedTable, _ ids: [UInt16], _ masks: inout [UInt64], _ count: Int
  ) {
    let new = table.current.words.span
    let old = table.baseline.words.span
    let ids = ids.span
    var masks = masks.mutableSpan
    let rows = table.current.rows
    var bit: UInt64 = 1
    for field in table.current.layout.fields {
      for column in field.firstColumn..<(field.firstColumn + field.columnCount) {
        let start = column * rows
        for index in 0..<count {
          let position = start + Int(ids[index])
          // Without a branch: whether a value changed is as good as random.
          masks[index] |= new[position] == old[position] ? 0 : bit
        }
      }
      bit &<<= 1
    }
  }

  private mutating func findNonZero(_ table: EntityTable) -> Int {
    let count = listIDs(table.presence)
    for (field, layout) in table.layout.fields.enumerated() {
      let bit: UInt64 = 1 << UInt64(field)
      for index in 0..<count {
        let id = Int(ids[index])
        if layout.columnCount == 0 {
          if table.blobLength(layout, id) > 0 { masks[index] |= bit }
        } else {
          for column in 0..<layout.columnCount where table.word(layout.firstColumn + column, id) != 0 {
            masks[index] |= bit
          }
        }
      }
    }
    return dropUnchanged(count)
  }

  private mutating func listIDs(_ bits: [UInt64]) -> Int {
    var count = 0
    for word in bits.indices {
      var rest = bits[word]
      while rest != 0 {
        ids[count] = UInt16(truncatingIfNeeded: word * 64 + rest.trailingZeroBitCount)
        masks[count] = 0
        count += 1
        rest &= rest - 1
      }
    }
    return count
  }

  private mutating func dropUnchanged(_ count: Int) -> Int {
    var kept = 0
    for index in 0..<count where masks[index] != 0 {
      ids[kept] = ids[index]
      masks[kept] = masks[index]
      kept += 1
    }
    return kept
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
    encodeIDsAndMasks(changed, into: &out)
    for (field, layout) in table.current.layout.fields.enumerated() {
      encodeDifferences(
        layout, bit: 1 << UInt64(field), from: &table.baseline, to: table.current, changed, into: &out)
    }
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

  private mutating func encodeIDsAndMasks(_ count: Int, into out: inout OutputRawSpan) {
    encodeIDs(count, into: &out)
    let size = MaskDictionary.fill(&dictionary, &indices, masks, count)
    out.put(varint: size)
    if size == 0 {
      for index in 0..<count { out.put(varint: masks[index]) }
      return
    }
    for index in 0..<size { out.put(varint: dictionary[index]) }
    MaskDictionary.pack(indices, count, size: size, into: &out)
  }

  /// Gaps or a bitmap, whichever is smaller.
  private func encodeIDs(_ count: Int, into out: inout OutputRawSpan) {
    let first = Int(ids[0])
    let last = Int(ids[count - 1])
    var gapBytes = 0
    var next = 0
    for index in 0..<count {
      gapBytes += varintLength(UInt64(Int(ids[index]) - next))
      next = Int(ids[index]) + 1
    }
    let base = first / 8
    let length = last / 8 - base + 1
    let bitmapBytes = varintLength(UInt64(base)) + varintLength(UInt64(length)) + length
    guard bitmapBytes < gapBytes else {
      out.put(varint: count << 1)
      next = 0
      for index in 0..<count {
        out.put(varint: Int(ids[index]) - next)
        next = Int(ids[index]) + 1
      }
      return
    }
    out.put(varint: count << 1 | 1)
    out.put(varint: base)
    out.put(varint: length)
    var index = 0
    for byte in base..<(base + length) {
      var bits: UInt8 = 0
      while index < count, Int(ids[index]) / 8 == byte {
        bits |= 1 << UInt8(ids[index] & 7)
        index += 1
      }
      out.put(byte: bits)
    }
  }

  // MARK: Columns

  private func encodeDifferences(
    _ field: FieldLayout, bit: UInt64, from baseline: inout EntityTable, to current: EntityTable, _ count: Int,
    into out: inout OutputRawSpan
  ) {
    let rows = current.rows
    switch field.coding {
    case .blob:
      for index in 0..<count where masks[index] & bit != 0 {
        let id = Int(ids[index])
        current.withBlob(field, id) { bytes in
          out.put(bytes: bytes)
          baseline.setBlob(field, id, bytes)
        }
      }
    case .difference, .reference:
      let new = current.words.span
      let ids = ids.span
      let masks = masks.span
      var old = baseline.words.mutableSpan
      for column in 0..<field.columnCount {
        let start = (field.firstColumn + column) * rows
        for index in 0..<count where masks[index] & bit != 0 {
          let position = start + Int(ids[index])
          let value = new[position]
          out.put(varint: UInt64(FieldLayout.difference(value, old[position])))
          old[position] = value
        }
      }
    case .angle(let steps):
      let new = current.words.span
      let ids = ids.span
      let masks = masks.span
      var old = baseline.words.mutableSpan
      let start = field.firstColumn * rows
      for index in 0..<count where masks[index] & bit != 0 {
        let position = start + Int(ids[index])
        let value = new[position]
        out.put(varint: UInt64(FieldLayout.angleDifference(value, old[position], steps: steps)))
        old[position] = value
      }
    case .quaternion:
      let new = current.words.span
      let ids = ids.span
      let masks = masks.span
      var old = baseline.words.mutableSpan
      let start = field.firstColumn * rows
      for part in 1...3 {
        for index in 0..<count where masks[index] & bit != 0 {
          let position = start + part * rows + Int(ids[index])
          let value = new[position]
          var coded = FieldLayout.difference(value, old[position])
          old[position] = value
          if part == 1 {
            let which = start + Int(ids[index])
            coded = coded << 2 | UInt32(bitPattern: new[which])
            old[which] = new[which]
          }
          out.put(varint: UInt64(coded))
        }
      }
    }
  }

  private func encodeAgainstZero(
    _ field: FieldLayout, bit: UInt64, _ table: EntityTable, _ count: Int, into out: inout OutputRawSpan
  ) {
    switch field.coding {
    case .blob:
      for index in 0..<count where masks[index] & bit != 0 {
        table.withBlob(field, Int(ids[index])) { out.put(bytes: $0) }
      }
    case .difference, .reference:
      for column in 0..<field.columnCount {
        for index in 0..<count where masks[index] & bit != 0 {
          out.put(zigzag: table.word(field.firstColumn + column, Int(ids[index])))
        }
      }
    case .angle(let steps):
      for index in 0..<count where masks[index] & bit != 0 {
        let value = table.word(field.firstColumn, Int(ids[index]))
        out.put(varint: UInt64(FieldLayout.angleDifference(value, 0, steps: steps)))
      }
    case .quaternion:
      for part in 1...3 {
        for index in 0..<count where masks[index] & bit != 0 {
          let id = Int(ids[index])
          let coded = zigzag(table.word(field.firstColumn + part, id))
          let which = UInt32(bitPattern: table.word(field.firstColumn, id))
          out.put(varint: UInt64(part == 1 ? coded << 2 | which : coded))
        }
      }
    }
  }
}

private func isClear(_ bits: [UInt64]) -> Bool {
  for word in bits where word != 0 { return false }
  return true
}
