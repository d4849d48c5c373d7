/// The values of a section, column by column: `docs/protocol.md` 7.1.
extension FrameEncoder {
  /// Writes the values that changed and makes them, and their steps, those of the baseline.
  mutating func encodeDifferences(_ table: inout TrackedTable, _ count: Int, into out: inout OutputRawSpan) {
    var bits = BitWriter()
    for (index, field) in table.current.layout.fields.enumerated() {
      let present = putPresence(field, bit: UInt64(index), of: count, &bits, into: &out)
      guard present > 0 else { continue }
      for column in 0..<field.columnCount {
        let isForetold = field.foretold.contains(column)
        let pays = takeColumn(&table, field, column, isForetold: isForetold, present)
        putColumn(isForetold ? pays ? .foretold : .plain : .only, present, &bits, into: &out)
      }
    }
    bits.finish(into: &out)
  }

  /// Writes all values of the changed entities against zero.
  mutating func encodeAgainstZero(_ table: EntityTable, _ count: Int, into out: inout OutputRawSpan) {
    var bits = BitWriter()
    for (index, field) in table.layout.fields.enumerated() {
      let present = putPresence(field, bit: UInt64(index), of: count, &bits, into: &out)
      guard present > 0 else { continue }
      for column in 0..<field.columnCount {
        for place in 0..<present {
          let value = table.word(field.firstColumn + column, Int(members[place]))
          differences[place] =
            if case .angle(let steps) = field.coding {
              FieldLayout.angleDifference(value, 0, steps: steps)
            } else {
              zigzag(value)
            }
        }
        putColumn(field.foretold.contains(column) ? .plain : .only, present, &bits, into: &out)
      }
    }
    bits.finish(into: &out)
  }

  /// Writes the steps of the changed entities.
  mutating func encodeSteps(_ table: EntityTable, _ count: Int, into out: inout OutputRawSpan) {
    var bits = BitWriter()
    for index in 0..<count { masks[index] = table.fieldsWithSteps(Int(ids[index])) }
    for (index, field) in table.layout.fields.enumerated() where !field.foretold.isEmpty {
      let present = putPresence(field, bit: UInt64(index), of: count, &bits, into: &out)
      guard present > 0 else { continue }
      for column in field.foretold {
        let start = (field.firstColumn + column) * table.rows
        for place in 0..<present { differences[place] = zigzag(table.steps[start + Int(members[place])]) }
        putColumn(.only, present, &bits, into: &out)
      }
    }
    bits.finish(into: &out)
  }

  func encodeBlobs(of table: EntityTable, _ count: Int, into out: inout OutputRawSpan) {
    for (field, layout) in table.layout.fields.enumerated() where layout.columnCount == 0 {
      for index in 0..<count where masks[index] & (1 << UInt64(field)) != 0 {
        table.withBlob(layout, Int(ids[index])) { out.put(bytes: $0) }
      }
    }
  }

  func takeOverBlobs(_ table: inout TrackedTable, _ count: Int) {
    for (field, layout) in table.current.layout.fields.enumerated() where layout.columnCount == 0 {
      for index in 0..<count where masks[index] & (1 << UInt64(field)) != 0 {
        let id = Int(ids[index])
        table.current.withBlob(layout, id) { table.baseline.setBlob(layout, id, $0) }
      }
    }
  }

  // MARK: Presence

  /// Says which of the changed entities have a field, and lists them in `members`.
  ///
  /// - Returns: how many values each of its columns gets.
  private mutating func putPresence(
    _ field: FieldLayout, bit: UInt64, of count: Int, _ bits: inout BitWriter, into out: inout OutputRawSpan
  ) -> Int {
    var present = 0
    for index in 0..<count where masks[index] &>> bit & 1 != 0 {
      members[present] = ids[index]
      present += 1
    }
    let presence = Presence(present: present, of: count, columns: field.columnCount)
    bits.put(presence.rawValue, width: Presence.bits, into: &out)
    switch presence {
    case .nobody: break
    case .all:
      if present < count { for index in 0..<count { members[index] = ids[index] } }
      present = count
    case .map:
      for index in 0..<count { bits.put(masks[index] &>> bit & 1, width: 1, into: &out) }
    case .few:
      let width = Presence.placeBits(count)
      bits.put(UInt64(present), width: width, into: &out)
      for index in 0..<count where masks[index] &>> bit & 1 != 0 { bits.put(UInt64(index), width: width, into: &out) }
    }
    return present
  }

  // MARK: Columns

  /// What the values of a column are differences to.
  private enum Reference {
    /// The last values; the column is never foretold.
    case only
    /// The last values.
    case plain
    /// What was foretold from the last values and their steps.
    case foretold
  }

  private mutating func putColumn(
    _ reference: Reference, _ count: Int, _ bits: inout BitWriter, into out: inout OutputRawSpan
  ) {
    if reference == .foretold {
      Self.putColumn(surprises, reference, count, &widths, &bits, into: &out)
    } else {
      Self.putColumn(differences, reference, count, &widths, &bits, into: &out)
    }
  }

  private static func putColumn(
    _ values: [UInt32], _ reference: Reference, _ count: Int, _ widths: inout WidthCounts, _ bits: inout BitWriter,
    into out: inout OutputRawSpan
  ) {
    let values = values.span
    widths.reset()
    widths.count(values, count)
    let k = widths.parameter(of: count)
    switch reference {
    case .only: bits.put(k, width: ColumnCode.parameterBits, into: &out)
    case .plain: bits.put(k << 1, width: ColumnCode.parameterBits + 1, into: &out)
    case .foretold: bits.put(k << 1 | 1, width: ColumnCode.parameterBits + 1, into: &out)
    }
    guard k != ColumnCode.allZero else { return }
    for index in 0..<count { ColumnCode.put(values[index], k, &bits, into: &out) }
  }

  /// Fills `differences` and `surprises` with a column of `members`, and takes its values over into the baseline.
  ///
  /// - Returns: whether the surprises are the smaller ones.
  private mutating func takeColumn(
    _ table: inout TrackedTable, _ field: FieldLayout, _ column: Int, isForetold: Bool, _ count: Int
  ) -> Bool {
    let start = (field.firstColumn + column) * table.current.rows
    let new = table.current.words
    if case .angle(let full) = field.coding {
      return Self.takeTurns(
        members, count, start, new, &table.baseline.words, &table.baseline.steps, full: full, &differences, &surprises)
    }
    guard isForetold else {
      Self.takeDifferences(members, count, start, new, &table.baseline.words, &differences)
      return false
    }
    return Self.takeForetold(
      members, count, start, new, &table.baseline.words, &table.baseline.steps, &differences, &surprises)
  }

  private static func takeDifferences(
    _ members: [UInt16], _ count: Int, _ start: Int, _ new: [Int32], _ old: inout [Int32],
    _ differences: inout [UInt32]
  ) {
    let (members, new) = (members.span, new.span)
    var old = old.mutableSpan
    var differences = differences.mutableSpan
    for index in 0..<count {
      let position = start + Int(members[index])
      differences[index] = FieldLayout.difference(new[position], old[position])
      old[position] = new[position]
    }
  }

  private static func takeForetold(
    _ members: [UInt16], _ count: Int, _ start: Int, _ new: [Int32], _ old: inout [Int32], _ steps: inout [Int32],
    _ differences: inout [UInt32], _ surprises: inout [UInt32]
  ) -> Bool {
    let (members, new) = (members.span, new.span)
    var old = old.mutableSpan
    var steps = steps.mutableSpan
    var differences = differences.mutableSpan
    var surprises = surprises.mutableSpan
    var gain = 0
    for index in 0..<count {
      let position = start + Int(members[index])
      let way = new[position] &- old[position]
      let difference = zigzag(way)
      let surprise = zigzag(way &- steps[position])
      differences[index] = difference
      surprises[index] = surprise
      old[position] = new[position]
      steps[position] = way
      gain &+= surprise.leadingZeroBitCount &- difference.leadingZeroBitCount
    }
    return gain > 0
  }

  private static func takeTurns(
    _ members: [UInt16], _ count: Int, _ start: Int, _ new: [Int32], _ old: inout [Int32], _ steps: inout [Int32],
    full: Int32, _ differences: inout [UInt32], _ surprises: inout [UInt32]
  ) -> Bool {
    let (members, new) = (members.span, new.span)
    var old = old.mutableSpan
    var steps = steps.mutableSpan
    var differences = differences.mutableSpan
    var surprises = surprises.mutableSpan
    var gain = 0
    for index in 0..<count {
      let position = start + Int(members[index])
      let difference = FieldLayout.angleDifference(new[position], old[position], steps: full)
      let expected = FieldLayout.turned(old[position], by: steps[position], steps: full)
      let surprise = FieldLayout.angleDifference(new[position], expected, steps: full)
      differences[index] = difference
      surprises[index] = surprise
      old[position] = new[position]
      steps[position] = unzigzag(difference)
      gain &+= surprise.leadingZeroBitCount &- difference.leadingZeroBitCount
    }
    return gain > 0
  }
}
