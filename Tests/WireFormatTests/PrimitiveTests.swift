import Testing
import VectorGenerator
import WireFormat

@Suite struct PrimitiveTests {
  private func fault(_ hex: String, _ read: (Span<UInt8>, inout Int) throws(WireError) -> Void) -> WireError.Code? {
    let bytes = WireHex.bytes(hex) ?? []
    var at = 0
    do throws(WireError) {
      try read(bytes.span, &at)
      return nil
    } catch {
      return error.code
    }
  }

  @Test(arguments: [0, 1, 127, 128, 16383, 16384, 1 << 32 - 1, 1 << 32, 1 << 63, UInt64.max] as [UInt64])
  func aVarintReadsBackInItsShortestForm(value: UInt64) throws {
    let bytes = encodedBytes(bound: 10) { $0.put(varint: value) }
    #expect(bytes.count == varintLength(value))
    var at = 0
    #expect(try bytes.span.varint(&at, "v") == value)
    #expect(at == bytes.count)
  }

  @Test(arguments: [
    ("", WireError.Code.truncated), ("80", .truncated), ("ffffffffffffffffff", .truncated),
    ("8000", .nonMinimalVarint), ("ffff00", .nonMinimalVarint), ("ffffffffffffffffff02", .valueTooLarge),
    ("8080808080808080808001", .valueTooLarge),
  ])
  func aBadVarintIsTold(hex: String, code: WireError.Code) {
    #expect(fault(hex) { bytes, at throws(WireError) in _ = try bytes.varint(&at, "v") } == code)
  }

  @Test func widthsAndRangesHaveTheirOwnCodes() {
    #expect(fault("8080808010") { bytes, at throws(WireError) in _ = try bytes.varint32(&at, "v") } == .valueTooLarge)
    #expect(fault("8080808010") { bytes, at throws(WireError) in _ = try bytes.zigzag(&at, "v") } == .valueTooLarge)
    #expect(fault("808004") { bytes, at throws(WireError) in _ = try bytes.varint16(&at, "v") } == .outOfRange)
    #expect(fault("05") { bytes, at throws(WireError) in _ = try bytes.varint(&at, in: 1...4, "v") } == .outOfRange)
    #expect(fault("00") { bytes, at throws(WireError) in _ = try bytes.varint(&at, in: 1...4, "v") } == .outOfRange)
    #expect(fault("0400") { bytes, at throws(WireError) in _ = try bytes.flags(&at, known: 3, "v") } == .unknownFlag)
  }

  @Test(arguments: [(0, 0), (-1, 1), (1, 2), (-2, 3), (Int32.max, UInt32.max - 1), (Int32.min, UInt32.max)])
  func zigzagFoldsTheSign(value: Int32, coded: UInt32) {
    #expect(zigzag(value) == coded)
    #expect(unzigzag(coded) == value)
  }

  @Test func bytesNeedTheirLengthAndTheirBytes() {
    #expect(
      fault("0361") { bytes, at throws(WireError) in _ = try bytes.bytes(&at, atMost: 3, "b") } == .truncated)
    #expect(
      fault("0461616161") { bytes, at throws(WireError) in _ = try bytes.bytes(&at, atMost: 3, "b") } == .invalidLength)
    #expect(
      fault("ffffffffffffffffff01") { bytes, at throws(WireError) in _ = try bytes.bytes(&at, atMost: .max, "b") }
        == .invalidLength)
    #expect(
      fault("00") { bytes, at throws(WireError) in _ = try bytes.string(&at, lengths: 1...4, "s") } == .invalidLength)
  }

  @Test(arguments: ["01ff", "02c328", "03eda080", "02c080", "04f4908080"])
  func textIsUTF8(hex: String) {
    #expect(
      fault(hex) { bytes, at throws(WireError) in _ = try bytes.string(&at, lengths: 0...9, "s") } == .invalidText)
  }

  @Test func littleEndianReadsBack() throws {
    let bytes = encodedBytes(bound: 8) { $0.put(littleEndian: 0x0102_0304_0506_0708) }
    #expect(bytes == [8, 7, 6, 5, 4, 3, 2, 1])
    var at = 0
    #expect(try bytes.span.littleEndian64(&at, "u") == 0x0102_0304_0506_0708)
    #expect(
      fault("01020304050607") { bytes, at throws(WireError) in _ = try bytes.littleEndian64(&at, "u") } == .truncated)
  }

  @Test func anErrorNamesTheFieldAndTheOffset() {
    let bytes: [UInt8] = [1, 0x80]
    var at = 1
    #expect {
      _ = try bytes.span.varint(&at, "sequence")
    } throws: {
      "\($0)" == "truncated at byte 2 in sequence"
    }
  }
}
