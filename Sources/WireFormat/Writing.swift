/// Writing of the primitives of `docs/protocol.md` section 2 into memory that the caller sized by a bound.
extension OutputRawSpan {
  @inline(__always)
  package mutating func put(byte: UInt8) {
    append(byte)
  }

  @inline(__always)
  package mutating func put(varint value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest &>>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }

  @inline(__always)
  package mutating func put(varint value: Int) {
    put(varint: UInt64(value))
  }

  @inline(__always)
  package mutating func put(zigzag value: Int32) {
    put(varint: UInt64(WireFormat.zigzag(value)))
  }

  package mutating func put(littleEndian value: UInt64) {
    for shift in stride(from: UInt64(0), to: 64, by: 8) {
      append(UInt8(truncatingIfNeeded: value &>> shift))
    }
  }

  package mutating func put(raw bytes: Span<UInt8>) {
    bytes.withUnsafeBytes { put(raw: $0) }
  }

  package mutating func put(raw bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count <= freeCapacity, "\(bytes.count) bytes where \(freeCapacity) fit: a bound was wrong")
    withUnsafeMutableBytes { space, count in
      UnsafeMutableRawBufferPointer(rebasing: space[count...]).copyMemory(from: bytes)
      count += bytes.count
    }
  }

  package mutating func put(bytes: Span<UInt8>) {
    put(varint: bytes.count)
    put(raw: bytes)
  }

  /// Overwrites a byte written before.
  mutating func replaceByte(at offset: Int, with byte: UInt8) {
    var written = mutableBytes
    written.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
  }

  package mutating func put(string: String) {
    var text = string
    text.makeContiguousUTF8()
    put(bytes: text.utf8Span.span)
  }
}

/// The length in bytes of the shortest varint that holds `value`.
package func varintLength(_ value: UInt64) -> Int {
  (63 - (value | 1).leadingZeroBitCount) / 7 + 1
}

/// Bytes that `body` wrote into a buffer of `bound` bytes: for messages that are not on the tick path.
package func encodedBytes(bound: Int, _ body: (inout OutputRawSpan) -> Void) -> [UInt8] {
  [UInt8](unsafeUninitializedCapacity: bound) { buffer, initialized in
    var out = OutputRawSpan(buffer: UnsafeMutableRawBufferPointer(buffer), initializedCount: 0)
    body(&out)
    initialized = out.finalize(for: UnsafeMutableRawBufferPointer(buffer))
  }
}
