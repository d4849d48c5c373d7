import Testing
import VectorGenerator
import WireFormat

@Suite struct MessageAssemblerTests {
  private struct Received: Equatable {
    var type: UInt8
    var body: [UInt8]
  }

  /// Messages with bodies of 0 to 300 bytes, so that lengths take one and two bytes.
  private func stream() -> (bytes: [UInt8], messages: [Received]) {
    var bytes: [UInt8] = []
    var messages: [Received] = []
    for (index, size) in [0, 1, 5, 126, 127, 128, 300, 0, 2].enumerated() {
      let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &+ index) }
      messages.append(Received(type: UInt8(index + 1), body: body))
      bytes += encodedBytes(bound: 5) { $0.put(varint: size + 1) } + [UInt8(index + 1)] + body
    }
    return (bytes, messages)
  }

  private func feed(_ assembler: inout MessageAssembler, _ chunk: some Sequence<UInt8>) throws -> [Received] {
    var messages: [Received] = []
    let chunk = Array(chunk)
    let used = try assembler.feed(chunk.span) { type, body in
      messages.append(Received(type: type, body: body.array(0..<body.count)))
      return .proceed
    }
    #expect(used == chunk.count)
    return messages
  }

  @Test func everySplitGivesTheSameMessages() throws {
    let (bytes, messages) = stream()
    for cut in 0...bytes.count {
      var assembler = MessageAssembler(limit: 400)
      let received = try feed(&assembler, bytes[..<cut]) + feed(&assembler, bytes[cut...])
      try #require(received == messages, "cut at \(cut)")
      #expect(assembler.keptBytes == 0)
    }
  }

  @Test(arguments: [1, 2, 3, 7, 64])
  func chunksOfAnySizeGiveTheSameMessages(size: Int) throws {
    let (bytes, messages) = stream()
    var assembler = MessageAssembler(limit: 400)
    var received: [Received] = []
    for start in stride(from: 0, to: bytes.count, by: size) {
      received += try feed(&assembler, bytes[start..<min(start + size, bytes.count)])
      #expect(assembler.keptBytes <= 400)
    }
    #expect(received == messages)
  }

  private func failure(_ chunks: [UInt8]..., limit: Int = 100) -> MessageAssembler.Failure? {
    var assembler = MessageAssembler(limit: limit)
    for chunk in chunks {
      do throws(MessageAssembler.Failure) {
        _ = try assembler.feed(chunk.span) { _, _ in .proceed }
      } catch {
        #expect(assembler.keptBytes <= WireLimits.lengthPrefixBytes)
        return error
      }
    }
    return nil
  }

  @Test func aLengthAboveTheLimitIsToldBeforeItsBody() {
    #expect(failure([101]) == .tooLarge(length: 101, limit: 100))
    #expect(failure([0xE5, 0x01]) == .tooLarge(length: 229, limit: 100))
    #expect(failure([0xFF], [0xFF], [0xFF], [0xFF], [0x0F]) == .tooLarge(length: 0xFFFF_FFFF, limit: 100))
    #expect(failure([100]) == nil)
  }

  @Test func aLengthOfZeroIsMalformed() {
    #expect(failure([0]) == .malformed(WireError(.invalidLength, at: 0, "length")))
    #expect(failure([1], [7, 0]) == .malformed(WireError(.invalidLength, at: 0, "length")))
  }

  @Test func anOverlongLengthIsMalformedAtItsFifthByte() {
    let fault = MessageAssembler.Failure.malformed(WireError(.invalidLength, at: 0, "length"))
    #expect(failure([0xFF, 0xFF, 0xFF, 0xFF]) == nil)
    #expect(failure([0xFF, 0xFF, 0xFF, 0xFF, 0xFF]) == fault)
    #expect(failure([0xFF], [0xFF], [0xFF], [0xFF], [0x80]) == fault)
    #expect(failure([0x81, 0x00, 6]) == .malformed(WireError(.nonMinimalVarint, at: 0, "length")))
  }

  @Test func stopLeavesTheRestWithTheCaller() throws {
    var assembler = MessageAssembler(limit: 100)
    let bytes: [UInt8] = [2, 6, 1, 2, 6, 2, 2, 6, 3]
    var seen = 0
    let used = try assembler.feed(bytes.span) { _, _ in
      seen += 1
      return seen == 2 ? .stop : .proceed
    }
    #expect(seen == 2)
    #expect(used == 6)
    #expect(assembler.keptBytes == 0)
    #expect(try feed(&assembler, bytes[used...]) == [Received(type: 6, body: [3])])
  }

  @Test func stopAfterAKeptMessageLeavesTheRestToo() throws {
    var assembler = MessageAssembler(limit: 100)
    #expect(try feed(&assembler, [3, 6]).isEmpty)
    let bytes: [UInt8] = [1, 2, 2, 6, 3]
    let used = try assembler.feed(bytes.span) { _, _ in .stop }
    #expect(used == 2)
    #expect(assembler.keptBytes == 0)
  }

  @Test func keptBytesMoveToAnotherAssembler() throws {
    var first = MessageAssembler(limit: 100)
    _ = try feed(&first, [3, 6, 1])
    let kept = first.takeKept()
    #expect(kept == [3, 6, 1])
    #expect(first.keptBytes == 0)
    var second = MessageAssembler(limit: 100)
    #expect(try feed(&second, kept).isEmpty)
    #expect(try feed(&second, [2]) == [Received(type: 6, body: [1, 2])])
  }
}
