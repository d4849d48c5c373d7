/// Bits in front of bytes: the first bit written is the lowest of its byte (`docs/protocol.md` 2).
struct BitWriter {
  private var pending: UInt64 = 0
  /// Bits of `pending` that are not yet written, fewer than 8 between two calls.
  private var used: UInt64 = 0

  /// Writes the `width` lowest bits of `value`, 0 to 56; the bits above them are 0.
  @inline(__always)
  mutating func put(_ value: UInt64, width: UInt64, into out: inout OutputRawSpan) {
    pending |= value &<< used
    used &+= width
    while used >= 8 {
      out.put(byte: UInt8(truncatingIfNeeded: pending))
      pending &>>= 8
      used &-= 8
    }
  }

  /// Fills the last byte with zeros.
  mutating func finish(into out: inout OutputRawSpan) {
    if used > 0 { out.put(byte: UInt8(truncatingIfNeeded: pending)) }
    (pending, used) = (0, 0)
  }
}
