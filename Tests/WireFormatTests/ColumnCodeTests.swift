import Testing

@testable import WireFormat

/// Values in bits: read as they were written, and never longer than the bounds that buffers are sized by.
@Suite struct ColumnCodeTests {
  /// Writes values with one parameter and returns the bytes.
  private func coded(_ values: [UInt32], _ k: UInt64) -> [UInt8] {
    encodedBytes(bound: values.count * 9 + 1) { out in
      var bits = BitWriter()
      for value in values { ColumnCode.put(value, k, &bits, into: &out) }
      bits.finish(into: &out)
    }
  }

  @Test(arguments: 0...UInt64(ColumnCode.mostParameter))
  func everyWidthIsReadAsItWasWritten(k: UInt64) throws {
    var values: [UInt32] = []
    for width in 0..<UInt32(32) { values += [1 << width, (1 << width) - 1, (1 << width) | 1, ~(1 << width)] }
    let bytes = coded(values, k)
    var bits = BitReader(at: 0)
    for value in values { #expect(try bits.readValue(k, bytes.span) == value) }
    #expect(try bits.finish("values") == bytes.count)
  }

  /// The example of `docs/protocol.md` 7.1.
  @Test func smallValuesAreShort() throws {
    // 1, 01, 001, 0001 0, 0001 1, 00001 00: from the lowest bit up.
    #expect(coded([0, 1, 2, 3, 4, 5], 0) == [0b0010_0101, 0b1100_0010, 0b0001_0000])
    // 01 11
    #expect(coded([7], 2) == [0b1110])
  }

  @Test(arguments: 1...UInt64(40))
  func aColumnFitsItsBound(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let width = Int(seed % 33)
    let most = UInt32(truncatingIfNeeded: (UInt64(1) << UInt64(width)) - 1)
    for shape in 0..<4 {
      let values = (0..<200).map { _ -> UInt32 in
        switch shape {
        case 0: UInt32.random(in: 0...most, using: &random)
        case 1: random.oneIn(3) ? most : 0
        // Every width as often: the estimate is at its worst.
        case 2: UInt32.random(in: 0...most, using: &random) >> UInt32.random(in: 0...31, using: &random)
        default: random.oneIn(50) ? most : UInt32.random(in: 0...min(most, 3), using: &random)
        }
      }
      var widths = WidthCounts()
      widths.count(values.span, values.count)
      let k = widths.parameter(of: values.count)
      let bytes = k == ColumnCode.allZero ? 0 : coded(values, k).count
      #expect(bytes <= (ColumnCode.mostBits(width: width) * values.count + 7) / 8, "parameter \(k)")
    }
  }

  @Test func paddingMustBeZero() throws {
    var bits = BitReader(at: 0)
    let bytes: [UInt8] = [0b100]
    _ = try bits.read(width: 2, bytes.span, "value")
    #expect(throws: WireError(.inconsistent, at: 0, "values")) { try bits.finish("values") }
  }
}
