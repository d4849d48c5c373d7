/// Coding of one value against the old one: `docs/protocol.md` section 5.1.
///
/// Frames code whole columns with these differences; `Input` codes one entity's fields against zero with the same.
extension FieldLayout {
  @inline(__always)
  static func difference(_ new: Int32, _ old: Int32) -> UInt32 { zigzag(new &- old) }

  /// The shortest signed way from `old` to `new` on a circle of `steps`.
  @inline(__always)
  static func angleDifference(_ new: Int32, _ old: Int32, steps: Int32) -> UInt32 {
    var way = new - old
    if way > (steps - 1) / 2 { way -= steps } else if way < -(steps / 2) { way += steps }
    return zigzag(way)
  }

  /// `(old + way) modulo steps`, or nil when `way` is not the shortest one.
  @inline(__always)
  static func angle(_ old: Int32, plus way: Int32, steps: Int32) -> Int32? {
    guard way >= -(steps / 2), way <= (steps - 1) / 2 else { return nil }
    return turned(old, by: way, steps: steps)
  }

  /// `(old + way) modulo steps`, for a `way` shorter than a full turn.
  @inline(__always)
  static func turned(_ old: Int32, by way: Int32, steps: Int32) -> Int32 {
    let sum = old + way
    return sum < 0 ? sum + steps : sum >= steps ? sum - steps : sum
  }
}

/// Values of one entity outside a frame: the entries of an `Input`.
extension EntityTable {
  /// Writes the fields of `mask` of entity `id`, each coded against zero.
  package func encodeValues(of id: Int, mask: UInt64, into out: inout OutputRawSpan) {
    for (index, field) in layout.fields.enumerated() where mask & (1 << UInt64(index)) != 0 {
      switch field.coding {
      case .difference, .reference:
        for column in 0..<field.columnCount { out.put(zigzag: word(field.firstColumn + column, id)) }
      case .angle(let steps):
        out.put(varint: UInt64(FieldLayout.angleDifference(word(field.firstColumn, id), 0, steps: steps)))
      case .quaternion:
        let first = zigzag(word(field.firstColumn + 1, id)) << 2
        out.put(varint: UInt64(first | UInt32(bitPattern: word(field.firstColumn, id))))
        out.put(zigzag: word(field.firstColumn + 2, id))
        out.put(zigzag: word(field.firstColumn + 3, id))
      case .blob:
        withBlob(field, id) { out.put(bytes: $0) }
      }
    }
  }

  /// Reads the fields of `mask` for entity `id`, each coded against zero, and checks every range. `id` must be present.
  package mutating func decodeValues(
    of id: Int, mask: UInt64, _ bytes: Span<UInt8>, at: inout Int, in layouts: [KindLayout]
  ) throws(WireError) {
    var rest = mask
    while rest != 0 {
      let index = rest.trailingZeroBitCount
      rest &= rest - 1
      switch layout.fields[index].coding {
      case .difference:
        let (first, count) = (layout.fields[index].firstColumn, layout.fields[index].columnCount)
        try decodeNumbers(of: id, first, count, layout.fields[index].low...layout.fields[index].high, bytes, at: &at)
      case .reference:
        let (start, field) = (at, layout.fields[index])
        let value = try bytes.zigzag(&at, "value")
        guard field.accepts(value, column: 0, in: layouts) else { throw WireError(.outOfRange, at: start, "value") }
        setWord(field.firstColumn, id, value)
      case .angle(let steps):
        let start = at
        guard let value = FieldLayout.angle(0, plus: try bytes.zigzag(&at, "value"), steps: steps) else {
          throw WireError(.outOfRange, at: start, "value")
        }
        setWord(layout.fields[index].firstColumn, id, value)
      case .quaternion:
        let (start, field) = (at, layout.fields[index])
        let first = try bytes.varint32(&at, "value")
        let words = [
          Int32(bitPattern: first & 3), unzigzag(first >> 2), try bytes.zigzag(&at, "value"),
          try bytes.zigzag(&at, "value"),
        ]
        for column in 0..<4 {
          guard field.accepts(words[column], column: column, in: layouts) else {
            throw WireError(.outOfRange, at: start, "value")
          }
          setWord(field.firstColumn + column, id, words[column])
        }
      case .blob(let maxBytes, let isText):
        let range = try bytes.blob(&at, maxBytes: maxBytes, isText: isText)
        setBlob(layout.fields[index], id, bytes.extracting(range))
      }
    }
  }

  private mutating func decodeNumbers(
    of id: Int, _ first: Int, _ count: Int, _ range: ClosedRange<Int32>, _ bytes: Span<UInt8>, at: inout Int
  ) throws(WireError) {
    let rows = self.rows
    var words = self.words.mutableSpan
    for column in first..<(first + count) {
      let start = at
      let value = try bytes.zigzag(&at, "value")
      guard range.contains(value) else { throw WireError(.outOfRange, at: start, "value") }
      words[column * rows + id] = value
    }
  }
}

extension Span where Element == UInt8 {
  /// A blob's bytes, checked for length and, if it is text, for UTF-8.
  func blob(_ at: inout Int, maxBytes: Int, isText: Bool) throws(WireError) -> Range<Int> {
    let start = at
    let length = try varint(&at, "value")
    guard length <= UInt64(maxBytes) else { throw WireError(.invalidLength, at: start, "value") }
    guard Int(length) <= count - at else { throw WireError(.truncated, at: count, "value") }
    let range = at..<(at + Int(length))
    at = range.upperBound
    if isText {
      do { _ = try UTF8Span(validating: extracting(range)) } catch {
        throw WireError(.invalidText, at: range.lowerBound, "value")
      }
    }
    return range
  }
}
