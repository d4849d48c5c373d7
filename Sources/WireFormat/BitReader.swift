/// Reads bits from a message body, the lowest of each byte first (`docs/protocol.md` 2). Never traps on its input.
struct BitReader {
  private var pending: UInt64 = 0
  /// Bits in `pending`; those above them are 0.
  private var have: UInt64 = 0
  /// The next byte to take.
  private var at: Int

  init(at start: Int) { at = start }

  /// Bits read so far, counted from the start of the body.
  var position: Int { at * 8 - Int(have) }

  /// The byte that the next bit is in.
  var byte: Int { position / 8 }

  @inline(__always)
  private mutating func refill(_ body: Span<UInt8>) {
    while have <= 56, at < body.count {
      pending |= UInt64(body[at]) &<< have
      at &+= 1
      have &+= 8
    }
  }

  /// A number of `width` bits, 0 to 56.
  @inline(__always)
  mutating func read(width: UInt64, _ body: Span<UInt8>, _ field: String) throws(WireError) -> UInt64 {
    if have < width { refill(body) }
    guard have >= width else { throw WireError(.truncated, at: body.count, field) }
    let value = pending & (1 &<< width &- 1)
    pending &>>= width
    have &-= width
    return value
  }

  /// A value of a column of parameter `k`, 0 to 30: zeros, a one, then the lower bits (``ColumnCode``).
  @inline(__always)
  mutating func readValue(_ k: UInt64, _ body: Span<UInt8>) throws(WireError) -> UInt32 {
    if have < 57 { refill(body) }
    let zeros = UInt64(truncatingIfNeeded: pending.trailingZeroBitCount)
    guard zeros < have else { throw noOne(body) }
    let width = k &+ (zeros < 2 ? 0 : zeros &- 2)
    guard zeros <= ColumnCode.mostZeros, width <= 32 else { throw WireError(.valueTooLarge, at: byte, "value") }
    pending = (pending &>> zeros) &>> 1
    have &-= zeros &+ 1
    let value = try read(width: width, body, "value") &+ ColumnCode.base(zeros) &<< k
    guard value <= UInt64(UInt32.max) else { throw WireError(.valueTooLarge, at: byte, "value") }
    return UInt32(truncatingIfNeeded: value)
  }

  /// Why there is no one among the bits at hand.
  private func noOne(_ body: Span<UInt8>) -> WireError {
    have > ColumnCode.mostZeros
      ? WireError(.valueTooLarge, at: byte, "value") : WireError(.truncated, at: body.count, "value")
  }

  /// Ends the bits: those left of the last byte are zeros.
  ///
  /// - Returns: offset of the byte after them.
  func finish(_ field: String) throws(WireError) -> Int {
    let padding = have % 8
    guard pending & (1 &<< padding &- 1) == 0 else { throw WireError(.inconsistent, at: byte, field) }
    return at - Int(have / 8)
  }
}
