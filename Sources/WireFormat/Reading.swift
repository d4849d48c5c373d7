/// Bounds-checked reading of the primitives of `docs/protocol.md` section 2.
///
/// Each call advances `at` past what it read. None of them traps or allocates on the word of the input.
extension Span where Element == UInt8 {
  package func byte(_ at: inout Int, _ field: String) throws(WireError) -> UInt8 {
    guard at < count else { throw WireError(.truncated, at: at, field) }
    defer { at += 1 }
    return self[at]
  }

  @inline(__always)
  package func varint(_ at: inout Int, _ field: String) throws(WireError) -> UInt64 {
    guard at < count else { throw WireError(.truncated, at: at, field) }
    let first = self[at]
    if first < 0x80 {
      at += 1
      return UInt64(first)
    }
    return try longVarint(&at, field)
  }

  private func longVarint(_ at: inout Int, _ field: String) throws(WireError) -> UInt64 {
    let start = at
    // Most that one byte does not hold.
    if at + 1 < count, self[at + 1] < 0x80, self[at + 1] != 0 {
      at += 2
      return UInt64(self[start] & 0x7F) | UInt64(self[start + 1]) << 7
    }
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      guard at < count else { throw WireError(.truncated, at: at, field) }
      let byte = self[at]
      at += 1
      // The tenth byte may only carry bit 63.
      if shift == 63, byte > 1 { throw WireError(.valueTooLarge, at: start, field) }
      value |= UInt64(byte & 0x7F) &<< shift
      if byte < 0x80 {
        guard byte != 0 else { throw WireError(.nonMinimalVarint, at: start, field) }
        return value
      }
      shift += 7
    }
  }

  /// A varint of a documented range; `range` lies within 63 bits.
  package func varint(_ at: inout Int, in range: ClosedRange<UInt64>, _ field: String) throws(WireError) -> Int {
    let start = at
    let value = try varint(&at, field)
    guard range.contains(value) else { throw WireError(.outOfRange, at: start, field) }
    return Int(truncatingIfNeeded: value)
  }

  @inline(__always)
  package func varint32(_ at: inout Int, _ field: String) throws(WireError) -> UInt32 {
    let start = at
    let value = try varint(&at, field)
    guard value <= UInt64(UInt32.max) else { throw WireError(.valueTooLarge, at: start, field) }
    return UInt32(truncatingIfNeeded: value)
  }

  /// A player id, code, method or other number of 0 to 65535.
  package func varint16(_ at: inout Int, _ field: String) throws(WireError) -> UInt16 {
    UInt16(truncatingIfNeeded: try varint(&at, in: 0...UInt64(UInt16.max), field))
  }

  package func zigzag(_ at: inout Int, _ field: String) throws(WireError) -> Int32 {
    unzigzag(try varint32(&at, field))
  }

  package func littleEndian64(_ at: inout Int, _ field: String) throws(WireError) -> UInt64 {
    guard count - at >= 8 else { throw WireError(.truncated, at: at, field) }
    var value: UInt64 = 0
    for index in 0..<8 { value |= UInt64(self[at + index]) &<< UInt64(index * 8) }
    at += 8
    return value
  }

  /// The range of a length-prefixed byte string of at most `limit` bytes.
  package func bytes(_ at: inout Int, atMost limit: Int, _ field: String) throws(WireError) -> Range<Int> {
    let start = at
    let length = try varint(&at, field)
    guard length <= UInt64(limit) else { throw WireError(.invalidLength, at: start, field) }
    guard length <= UInt64(count - at) else { throw WireError(.truncated, at: count, field) }
    defer { at += Int(length) }
    return at..<(at + Int(length))
  }

  package func string(
    _ at: inout Int, lengths: ClosedRange<Int>, _ field: String
  ) throws(WireError) -> String {
    let start = at
    let range = try bytes(&at, atMost: lengths.upperBound, field)
    guard range.count >= lengths.lowerBound else { throw WireError(.invalidLength, at: start, field) }
    return try text(range, field)
  }

  package func text(_ range: Range<Int>, _ field: String) throws(WireError) -> String {
    do {
      return String(copying: try UTF8Span(validating: extracting(range)))
    } catch {
      throw WireError(.invalidText, at: range.lowerBound, field)
    }
  }

  package func array(_ range: Range<Int>) -> [UInt8] {
    // The initialiser writes its count even into the empty array that all threads share, which thread sanitizer
    // reports.
    guard !range.isEmpty else { return [] }
    return [UInt8](unsafeUninitializedCapacity: range.count) { buffer, initialized in
      extracting(range).withUnsafeBytes { UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0) }
      initialized = range.count
    }
  }

  /// A flags byte none of whose bits lie outside `known`.
  package func flags(_ at: inout Int, known: UInt8, _ field: String) throws(WireError) -> UInt8 {
    let start = at
    let flags = try byte(&at, field)
    guard flags & ~known == 0 else { throw WireError(.unknownFlag, at: start, field) }
    return flags
  }

  package func end(_ at: Int) throws(WireError) {
    guard at == count else { throw WireError(.trailingBytes, at: at, "body") }
  }
}

@inlinable
package func zigzag(_ value: Int32) -> UInt32 {
  UInt32(bitPattern: (value &<< 1) ^ (value &>> 31))
}

@inlinable
package func unzigzag(_ value: UInt32) -> Int32 {
  Int32(bitPattern: value &>> 1) ^ -Int32(bitPattern: value & 1)
}
