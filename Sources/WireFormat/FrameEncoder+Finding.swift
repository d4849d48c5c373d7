/// What changed, entity by entity and field by field.
extension FrameEncoder {
  /// Fills `ids` and `masks` with the entities whose quantised values differ from the baseline, after births and deaths
  /// were applied to it.
  mutating func findChanges(_ table: inout TrackedTable) -> Int {
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

  /// Fills `ids` with the entities that have a value or a step which is not 0, and `masks` with the fields of those
  /// values.
  mutating func findNonZero(_ table: EntityTable) -> Int {
    let count = listIDs(table.presence)
    Self.findWords(of: table, ids, &masks, count)
    for (field, layout) in table.layout.fields.enumerated() where layout.columnCount == 0 {
      let bit: UInt64 = 1 << UInt64(field)
      for index in 0..<count where table.blobLength(layout, Int(ids[index])) != 0 { masks[index] |= bit }
    }
    var kept = 0
    for index in 0..<count where masks[index] != 0 || table.fieldsWithSteps(Int(ids[index])) != 0 {
      ids[kept] = ids[index]
      masks[kept] = masks[index]
      kept += 1
    }
    return kept
  }

  private static func findWords(of table: borrowing EntityTable, _ ids: [UInt16], _ masks: inout [UInt64], _ count: Int)
  {
    let words = table.words.span
    let ids = ids.span
    var masks = masks.mutableSpan
    let rows = table.rows
    var bit: UInt64 = 1
    for field in table.layout.fields {
      for column in field.firstColumn..<(field.firstColumn + field.columnCount) {
        let start = column * rows
        for index in 0..<count { masks[index] |= words[start + Int(ids[index])] == 0 ? 0 : bit }
      }
      bit &<<= 1
    }
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
}

extension EntityTable {
  /// The mask of the fields of entity `id` that differ from the zero state.
  package func nonZeroFields(_ id: Int) -> UInt64 {
    var mask: UInt64 = 0
    for (index, field) in layout.fields.enumerated() {
      let isZero =
        field.columnCount == 0
        ? blobLength(field, id) == 0
        : (0..<field.columnCount).allSatisfy { word(field.firstColumn + $0, id) == 0 }
      if !isZero { mask |= 1 << UInt64(index) }
    }
    return mask
  }

  /// The mask of the fields of entity `id` of which a column that is foretold has a step.
  func fieldsWithSteps(_ id: Int) -> UInt64 {
    var mask: UInt64 = 0
    for (index, field) in layout.fields.enumerated()
    where field.foretold.contains(where: { steps[(field.firstColumn + $0) * rows + id] != 0 }) {
      mask |= 1 << UInt64(index)
    }
    return mask
  }
}
