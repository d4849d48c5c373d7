import Testing
import VectorGenerator
import WireFormat

/// What the golden vectors do not tell about messages; round trips are in `GoldenVectorTests`.
@Suite struct MessageTests {
  private func body(_ bytes: [UInt8]) throws -> [UInt8] {
    try Decoding.message(bytes) { _, body in body.array(0..<body.count) }
  }

  @Test func aForeignFirstMessageIsBadMagic() {
    let bytes = Array("GET / HTTP/1.1".utf8)
    #expect(throws: Hello.Failure.badMagic) { try Hello(bytes.span) }
  }

  @Test func anotherVersionIsToldWithoutReadingOn() throws {
    let bytes = Array("TICK".utf8) + [0x80, 0x01, 0xFF, 0xFF]
    #expect(throws: Hello.Failure.version(128)) { try Hello(bytes.span) }
  }

  @Test func aRoomNameBeyondTheRulesStillDecodes() throws {
    let join = Join(room: "", roomKind: String(repeating: "k", count: 512))
    let body = try body(encodedBytes(bound: 1024) { join.encode(into: &$0) })
    #expect(try Join(body.span) == join)
  }

  @Test func aLongTextIsCutAtACharacter() throws {
    let goodbye = Goodbye(.kicked, text: String(repeating: "\u{1F44B}", count: 200))
    let body = try body(encodedBytes(bound: Goodbye.bound + messageOverhead) { goodbye.encode(into: &$0) })
    #expect(try Goodbye(body.span).text == String(repeating: "\u{1F44B}", count: 128))
  }

  @Test func boundsHoldTheLargestMessages() throws {
    let text = String(repeating: "x", count: 600)
    let goodbye = Goodbye(.rateLimited, retryAfterMilliseconds: .max, address: text, text: text)
    let welcome = Welcome(
      session: .max, timeMicroseconds: .max, maxClientMessage: Int(UInt32.max), maxServerMessage: Int(UInt32.max),
      graceSeconds: Int(UInt32.max), ticket: Array(repeating: 1, count: 64))
    let joined = Joined(
      isResumed: true, player: PlayerID(rawValue: .max), generation: .max, tick: Tick(.max), tickRate: .max,
      startMicroseconds: .max, lastEvent: .max, lastWhisper: .max, schemaHash: .max, schema: [1], players: nil)
    let payload = [UInt8](repeating: 1, count: 1024)
    let tooMany = 64 * 1024
    #expect(encodedBytes(bound: tooMany) { goodbye.encode(into: &$0) }.count <= Goodbye.bound + messageOverhead)
    #expect(encodedBytes(bound: tooMany) { welcome.encode(into: &$0) }.count <= Welcome.bound + messageOverhead)
    #expect(encodedBytes(bound: tooMany) { joined.encode(into: &$0) }.count <= joined.bound + messageOverhead)
    #expect(
      encodedBytes(bound: tooMany) { InputAck(sequence: .max, dropped: .max, firstApplied: .max).encode(into: &$0) }
        .count <= InputAck.bound)
    let reply = encodedBytes(bound: tooMany) {
      Reply.encode(id: .max, status: .payloadInvalid, payload: payload.span, into: &$0)
    }
    #expect(reply.count <= Reply.overhead + payload.count)
    let whisper = encodedBytes(bound: tooMany) {
      Whisper.encode(
        isReliable: true, number: .max, sender: PlayerID(rawValue: .max), code: .max, payload: payload.span, into: &$0)
    }
    #expect(whisper.count <= Whisper.overhead + payload.count)
    let event = encodedBytes(bound: tooMany) {
      RoomEvent.encode(
        isReliable: true, sender: PlayerID(rawValue: .max), isForSender: false, code: .max, payload: payload.span,
        into: &$0)
    }
    #expect(event.count <= RoomEvent.overhead + payload.count)
  }

  @Test func anEventNumberThatWouldOverflowIsRefused() throws {
    let body = try #require(WireHex.bytes("ffffffffffffffffff01 01 01 10 00"))
    #expect(throws: WireError(.outOfRange, at: 0, "firstReliable")) { try MissedEvents.block(body.span) }
  }

  @Test func transientEventsTakeNoNumber() throws {
    // First 5: transient, reliable, transient, reliable.
    let body = try #require(WireHex.bytes("05 04 00 10 00 01 10 00 00 10 00 01 10 00"))
    var at = 0
    var block = try EventBlock(validating: body.span, at: &at)
    var numbers: [UInt64?] = []
    while let event = block.next(body.span) { numbers.append(event.number) }
    #expect(numbers == [nil, 5, nil, 6])
  }

  @Test func aReaderOfManyEntriesKeepsEachEntrysOwnValues() throws {
    let vectors = try VectorFiles.vectors("messages.json")
    let vector = try #require(vectors.first { $0["name"] == "input of all field types" })
    let schema = try #require(try VectorFiles.schema(vector))
    try Decoding.message(try vector.bytes("hex")) { _, body in
      var reader = try InputReader(body)
      var scratch = InputReader.scratch(schema)
      var entries: [InputReader.Entry] = []
      while let entry = try reader.next(body, into: &scratch, schema) { entries.append(entry) }
      #expect(entries.map(\.entity.id) == [299, 65535])
      #expect(scratch[1].word(0, 0) == -1)
    }
  }
}
