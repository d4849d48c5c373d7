/// The values of a section, column by column: `docs/protocol.md` 7.1.
extension StateMirror {
  /// - Parameter bornFrom: where in `content.created` the entities begin that this section created.
  mutating func applyChanged(
    _ body: Span<UInt8>, _ at: inout Int, _ kind: Int, bornFrom: Int, into content: inout FrameContent
  ) throws(WireError) {
    let first = content.changed.count
    let start = at
    try readChangedIDs(body, &at, kind, into: &content.changed)
    costs?.count(.ids, bytes: at - start)
    costs?.countUpdates(of: kind, content.changed.count - first)
    for _ in first..<content.changed.count { content.masks.append(0) }
    try applyValues(body, &at, kind, from: first, into: &content)
    try applyBlobs(body, &at, kind, from: first, content)
    for entity in content.created[bornFrom...] { tables[kind].forgetSteps(Int(entity.id)) }
    if content.isKeyframe { try applySteps(body, &at, kind, from: first, content) }
  }

  private mutating func applyValues(
    _ body: Span<UInt8>, _ at: inout Int, _ kind: Int, from first: Int, into content: inout FrameContent
  ) throws(WireError) {
    var bits = BitReader(at: at)
    for (index, field) in tables[kind].layout.fields.enumerated() {
      let before = bits.position
      try readPresence(body, &bits, of: content.changed.count - first)
      costs?.countPresence(of: kind, index, bits: bits.position - before, present: members.count)
      guard !members.isEmpty else { continue }
      let bit: UInt64 = 1 << UInt64(index)
      // A blob that comes is taken for changed.
      if field.columnCount == 0 { for place in members { content.masks[first + Int(place)] |= bit } }
      let values = bits.position
      for column in 0..<field.columnCount {
        let keepsSteps = field.foretold.contains(column)
        let order = keepsSteps ? try bits.read(width: 1, body, "order") : 0
        let k = try bits.read(width: ColumnCode.parameterBits, body, "parameter")
        let coded = CodedColumn(
          field: field, column: column, k: k, keepsSteps: keepsSteps, isForetold: order == 1, bit: bit, first: first)
        try tables[kind].apply(coded, body, &bits, to: members, content.changed, &content.masks, &hash, schema.layouts)
      }
      costs?.countValues(of: kind, index, bits: bits.position - values)
    }
    at = try finish(bits, "values")
  }

  private mutating func applyBlobs(
    _ body: Span<UInt8>, _ at: inout Int, _ kind: Int, from first: Int, _ content: borrowing FrameContent
  ) throws(WireError) {
    for (number, field) in tables[kind].layout.fields.enumerated() {
      guard case .blob(let maxBytes, let isText) = field.coding else { continue }
      let start = at
      for index in first..<content.changed.count where content.masks[index] & (1 << UInt64(number)) != 0 {
        let id = Int(content.changed[index].id)
        let range = try body.blob(&at, maxBytes: maxBytes, isText: isText)
        let kindIndex = content.changed[index].kind
        hash &-= hashOfBlob(tables[kind], field, kindIndex, id)
        tables[kind].setBlob(field, id, body.extracting(range))
        hash &+= hashOfBlob(tables[kind], field, kindIndex, id)
      }
      costs?.countValues(of: kind, number, bits: (at - start) * 8)
    }
  }

  /// The steps of a keyframe, which those who saw the frames before it know from them.
  private mutating func applySteps(
    _ body: Span<UInt8>, _ at: inout Int, _ kind: Int, from first: Int, _ content: borrowing FrameContent
  ) throws(WireError) {
    var bits = BitReader(at: at)
    for field in tables[kind].layout.fields where !field.foretold.isEmpty {
      try readPresence(body, &bits, of: content.changed.count - first)
      guard !members.isEmpty else { continue }
      for column in field.foretold {
        let k = try bits.read(width: ColumnCode.parameterBits, body, "parameter")
        for place in members {
          let start = bits.byte
          let step = unzigzag(k == ColumnCode.allZero ? 0 : try bits.readValue(k, body))
          if case .angle(let steps) = field.coding, step < -(steps / 2) || step > (steps - 1) / 2 {
            throw WireError(.outOfRange, at: start, "step")
          }
          let id = Int(content.changed[first + Int(place)].id)
          tables[kind].steps[(field.firstColumn + column) * tables[kind].rows + id] = step
        }
      }
    }
    let start = at
    at = try finish(bits, "steps")
    costs?.count(.steps, bytes: at - start)
  }

  private mutating func finish(_ bits: BitReader, _ field: String) throws(WireError) -> Int {
    let end = try bits.finish(field)
    costs?.count(.padding, bits: end * 8 - bits.position)
    return end
  }

  // MARK: Presence

  /// Fills `members` with the places of those of `count` changed entities that have a field.
  private mutating func readPresence(
    _ body: Span<UInt8>, _ bits: inout BitReader, of count: Int
  ) throws(WireError) {
    members.removeAll(keepingCapacity: true)
    switch Presence(rawValue: try bits.read(width: Presence.bits, body, "presence")) {
    case .all: for place in 0..<count { members.append(UInt16(truncatingIfNeeded: place)) }
    case .map:
      for place in 0..<count where try bits.read(width: 1, body, "presence") == 1 {
        members.append(UInt16(truncatingIfNeeded: place))
      }
    case .few: try readFew(body, &bits, of: count)
    // Two bits have no fifth value.
    case .nobody, nil: break
    }
  }

  private mutating func readFew(
    _ body: Span<UInt8>, _ bits: inout BitReader, of count: Int
  ) throws(WireError) {
    let width = Presence.placeBits(count)
    let start = bits.byte
    let present = try bits.read(width: width, body, "presence")
    guard present >= 1, present <= UInt64(count) else { throw WireError(.outOfRange, at: start, "presence") }
    var next: UInt64 = 0
    for _ in 0..<present {
      let start = bits.byte
      let place = try bits.read(width: width, body, "presence")
      guard place < UInt64(count) else { throw WireError(.outOfRange, at: start, "presence") }
      guard place >= next else { throw WireError(.inconsistent, at: start, "presence") }
      members.append(UInt16(truncatingIfNeeded: place))
      next = place + 1
    }
  }
}

/// A column of a section, as its head tells it.
private struct CodedColumn {
  let field: FieldLayout
  let column: Int
  let k: UInt64
  /// Whether the column keeps steps, and whether its values are differences to what they foretell.
  let keepsSteps: Bool
  let isForetold: Bool
  /// The field's bit in a mask.
  let bit: UInt64
  /// Where the section's entities begin in the list of changed ones.
  let first: Int
}

extension EntityTable {
  /// Reads the values of those `members` of `changed` that have a field, and marks those that differ in `masks`.
  fileprivate mutating func apply(
    _ coded: CodedColumn, _ body: Span<UInt8>, _ bits: inout BitReader, to members: [UInt16], _ changed: [EntityID],
    _ masks: inout [UInt64], _ hash: inout UInt64, _ layouts: [KindLayout]
  ) throws(WireError) {
    let column = coded.field.firstColumn + coded.column
    let key = StateHash.key(kind: layout.index, column: coded.field.columnNumber + coded.column, id: 0)
    if case .angle(let full) = coded.field.coding {
      try Self.applyTurns(
        coded, body, &bits, members, changed, &words, &steps, from: column * rows, full: full, &masks, &hash, key)
    } else {
      try Self.applyValues(
        coded, body, &bits, members, changed, &words, &steps, from: column * rows, &masks, &hash, key, layouts)
    }
  }

  /// The hot loop of a mirror: words and steps are taken out once a column, not once a value.
  private static func applyValues(
    _ coded: CodedColumn, _ body: Span<UInt8>, _ bits: inout BitReader, _ members: [UInt16], _ changed: [EntityID],
    _ words: inout [Int32], _ steps: inout [Int32], from begin: Int, _ masks: inout [UInt64], _ hash: inout UInt64,
    _ key: UInt64, _ layouts: [KindLayout]
  ) throws(WireError) {
    let (low, high) = coded.field.bounds(ofColumn: coded.column)
    let isReference = if case .reference = coded.field.coding { true } else { false }
    let (members, changed) = (members.span, changed.span)
    var masks = masks.mutableSpan
    var words = words.mutableSpan
    var steps = steps.mutableSpan
    for index in 0..<members.count {
      let start = bits.byte
      let place = coded.first + Int(members[index])
      let id = Int(changed[place].id)
      let old = words[begin + id]
      let way = unzigzag(coded.k == ColumnCode.allZero ? 0 : try bits.readValue(coded.k, body))
      let value = old &+ way &+ (coded.isForetold ? steps[begin + id] : 0)
      guard value >= low, value <= high, !isReference || coded.field.accepts(value, column: 0, in: layouts) else {
        throw WireError(.outOfRange, at: start, "value")
      }
      if coded.keepsSteps { steps[begin + id] = value &- old }
      guard value != old else { continue }
      let idKey = key | UInt64(truncatingIfNeeded: id) &<< 32
      hash = hash &- StateHash.term(idKey, old) &+ StateHash.term(idKey, value)
      words[begin + id] = value
      masks[place] |= coded.bit
    }
  }

  private static func applyTurns(
    _ coded: CodedColumn, _ body: Span<UInt8>, _ bits: inout BitReader, _ members: [UInt16], _ changed: [EntityID],
    _ words: inout [Int32], _ steps: inout [Int32], from begin: Int, full: Int32, _ masks: inout [UInt64],
    _ hash: inout UInt64, _ key: UInt64
  ) throws(WireError) {
    let (members, changed) = (members.span, changed.span)
    var masks = masks.mutableSpan
    var words = words.mutableSpan
    var steps = steps.mutableSpan
    for index in 0..<members.count {
      let start = bits.byte
      let place = coded.first + Int(members[index])
      let id = Int(changed[place].id)
      let old = words[begin + id]
      let expected = coded.isForetold ? FieldLayout.turned(old, by: steps[begin + id], steps: full) : old
      let way = unzigzag(coded.k == ColumnCode.allZero ? 0 : try bits.readValue(coded.k, body))
      guard let value = FieldLayout.angle(expected, plus: way, steps: full) else {
        throw WireError(.outOfRange, at: start, "value")
      }
      steps[begin + id] = unzigzag(FieldLayout.angleDifference(value, old, steps: full))
      guard value != old else { continue }
      let idKey = key | UInt64(truncatingIfNeeded: id) &<< 32
      hash = hash &- StateHash.term(idKey, old) &+ StateHash.term(idKey, value)
      words[begin + id] = value
      masks[place] |= coded.bit
    }
  }
}
