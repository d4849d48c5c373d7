import Testing
import VectorGenerator
import WireFormat

/// Seeded mutations, truncations and noise: a decoder may refuse, but neither trap nor grow on the word of its input.
@Suite struct HostileInputTests {
  /// Good messages of both sides, and the schema their entities are of.
  private static func samples() throws -> [(sender: Sender, type: UInt8, body: [UInt8], schema: Schema)] {
    let full = try fullSchema()
    var samples: [(sender: Sender, type: UInt8, body: [UInt8], schema: Schema)] = []
    for file in ["messages.json", "frames.json"] {
      for vector in try VectorFiles.vectors(file) {
        let schema = try VectorFiles.schema(vector) ?? full
        let sender = vector["from"] == "client" ? Sender.client : .server
        let messages = try vector["steps"] == nil ? [vector] : vector.list("steps")
        for message in messages {
          let bytes = try message.bytes("hex")
          try Decoding.message(bytes) { samples.append((sender, $0, $1.array(0..<$1.count), schema)) }
        }
      }
    }
    return samples
  }

  private static func fullSchema() throws -> Schema {
    let bytes = try VectorFiles.vectors("schema.json")[0].bytes("hex")
    return try Schema(decoding: bytes.span)
  }

  private func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      guard let index = bytes.indices.randomElement(using: &random) else { return bytes = random.bytes(3) }
      switch Int.random(in: 0..<6, using: &random) {
      case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 1: bytes[index] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
      case 2: bytes.removeSubrange(index...)
      case 3: bytes.remove(at: index)
      case 4: bytes.insert(contentsOf: random.bytes(2), at: index)
      // The largest varints, where counts and lengths may stand.
      default: bytes.replaceSubrange(index...index, with: [0xFF, 0xFF, 0xFF, 0xFF, 0x0F])
      }
    }
  }

  @Test(arguments: 1...UInt64(5))
  func mutatedMessagesAreRefusedOrDecoded(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let samples = try Self.samples()
    var refused = 0
    for _ in 0..<16_000 {
      guard var sample = samples.randomElement(using: &random) else { break }
      mutate(&sample.body, &random)
      do {
        try Decoding.everything(sample.type, from: sample.sender, sample.body.span, sample.schema)
      } catch {
        refused += 1
      }
    }
    #expect(refused > 4_000, "seed \(seed)")
  }

  @Test(arguments: 1...UInt64(2))
  func noiseIsRefusedOrDecoded(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let schema = try Self.fullSchema()
    for _ in 0..<10_000 {
      let client = random.oneIn(2)
      guard let type = (client ? Directions.client : Directions.server).randomElement(using: &random) else { break }
      let body = random.bytes(Int.random(in: 0...48, using: &random))
      try? Decoding.everything(type.rawValue, from: client ? .client : .server, body.span, schema)
    }
  }

  @Test func mutatedSchemasAreRefusedOrDecoded() throws {
    var random = SplitMix64(seed: 5)
    let schemas = try VectorFiles.vectors("schema.json").map { try $0.bytes("hex") }
    for _ in 0..<5_000 {
      guard var bytes = schemas.randomElement(using: &random) else { break }
      mutate(&bytes, &random)
      guard let schema = try? Schema(decoding: bytes.span) else { continue }
      #expect(schema.encoded == bytes)
    }
  }

  @Test func mutatedStreamsNeverBreakTheAssembler() {
    var random = SplitMix64(seed: 11)
    for _ in 0..<5_000 {
      var assembler = MessageAssembler(limit: 64)
      for _ in 0..<8 {
        let chunk = random.bytes(Int.random(in: 0...40, using: &random)).map { random.oneIn(3) ? $0 : $0 & 15 }
        guard (try? assembler.feed(chunk.span) { _, _ in .proceed }) != nil else { break }
        #expect(assembler.keptBytes < 64 + WireLimits.lengthPrefixBytes)
      }
    }
  }

  /// Counts are checked against the bytes that are there, so a few bytes can't ask for a large array.
  @Test(arguments: [
    // Frames: sets of removed, created and changed ids, and events, of 65536 or more.
    "05 01 00 01 09 808004", "05 01 00 01 0a 808004", "05 01 00 01 0c 808008 00",
    "02 01 01 01 ffffffff0f", "05 01 00 01 0c 818008 00 804000",
  ])
  func aHugeCountInAFewBytesIsRefusedUnpaid(hex: String) throws {
    let schema = try Self.fullSchema()
    let body = try #require(WireHex.bytes(hex))
    var mirror = StateMirror(schema)
    var content = FrameContent()
    #expect(throws: WireError.self) { try mirror.apply(body.span, into: &content) }
    #expect(content.changed.capacity + content.created.capacity + content.removed.capacity <= body.count * 8)
    #expect(mirror.tables.allSatisfy { $0.rows == 0 })
  }

  @Test func theMirrorGrowsWithTheIdsUpToTheCapacityOfTheirKind() throws {
    let schema = try Self.fullSchema()
    var mirror = StateMirror(schema)
    var content = FrameContent()
    // One entity of kind 0 with the last id, 299.
    let body = try #require(WireHex.bytes("05 01 00 01 02 01 ab02 00 00"))
    try mirror.apply(body.span, into: &content)
    #expect(mirror.tables.map(\.rows) == [300, 0])
  }
}
