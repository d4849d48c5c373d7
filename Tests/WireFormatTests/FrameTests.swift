import Testing
import VectorGenerator
import WireFormat

@Suite struct FrameTests {
  private let schema: Schema
  private var tables: [TrackedTable]
  private var encoder = FrameEncoder(entities: 64)

  init() throws {
    schema = try Schema([
      EntityKind(
        "avatar", capacity: 64,
        fields: [Field("x", .fixed(range: -10...10, step: 0.5)), Field("name", .string(maxBytes: 8))])
    ])
    tables = schema.layouts.map { TrackedTable($0) }
  }

  /// The state part of the next frame; empty when nothing changed.
  private mutating func changes() -> [UInt8] {
    encodedBytes(bound: FrameEncoder.stateBound(schema.layouts)) { _ = encoder.encodeChanges(of: &tables, into: &$0) }
  }

  private mutating func move(_ id: Int, to x: Double) throws {
    guard case .fixed(let fixed) = schema.kinds[0].fields[0].type else { return }
    tables[0].current.setWord(0, id, fixed.quantise(x))
    tables[0].touch(id)
  }

  @Test mutating func motionBelowAStepGivesNoSection() throws {
    tables[0].create(1, generation: 0, owner: nil)
    try move(1, to: 2)
    #expect(!changes().isEmpty)
    try move(1, to: 2.2)
    #expect(changes().isEmpty)
    try move(1, to: 2.3)
    #expect(!changes().isEmpty)
  }

  @Test mutating func aValueWrittenAndWrittenBackGivesNoSection() throws {
    tables[0].create(1, generation: 0, owner: nil)
    _ = changes()
    try move(1, to: 5)
    try move(1, to: 0)
    #expect(changes().isEmpty)
  }

  @Test mutating func anEntityCreatedAndRemovedBetweenFramesLeavesNoTrace() throws {
    tables[0].create(1, generation: 0, owner: nil)
    try move(1, to: 5)
    tables[0].remove(1)
    #expect(changes().isEmpty)
    #expect(tables[0].baseline.count == 0)
    #expect(tables[0].baseline.word(0, 1) == 0)
  }

  @Test mutating func anEntityThatTakesAnOldIdStartsFromZero() throws {
    tables[0].create(1, generation: 0, owner: nil)
    try move(1, to: 5)
    _ = changes()
    tables[0].remove(1)
    tables[0].create(1, generation: 1, owner: nil)
    // Section of kind 0, removed and created: id 1, then id 1 with generation 1 and no owner. No changed part.
    #expect(changes() == [1, 3, 1, 1, 1, 1, 1, 0])
    #expect(tables[0].baseline.word(0, 1) == 0)
  }

  @Test mutating func aKeyframeTellsTheStateOfTheLastFrame() throws {
    tables[0].create(1, generation: 0, owner: nil)
    try move(1, to: 5)
    _ = changes()
    try move(1, to: 7)
    let keyframe = encodedBytes(bound: 256) { _ = encoder.encodeKeyframe(of: tables, into: &$0) }
    // Kind 0, created id 1; all have changed. Bits: 01 all have x, 0 not foretold, parameter 5, then 20 (zigzag of 10)
    // as a one and five bits; 00 nobody has a name. No steps: 00.
    #expect(keyframe == [1, 6, 1, 1, 0, 0, 2, 0b0010_1001, 0b0010_1001, 0])
  }

  @Test mutating func allEntitiesWithAllFieldsFitTheBound() throws {
    for id in 0..<64 {
      tables[0].create(id, generation: 255, owner: PlayerID(rawValue: 65535))
      try move(id, to: -10)
      let name = Array("12345678".utf8)
      tables[0].current.setBlob(schema.layouts[0].fields[1], id, name.span)
    }
    #expect(changes().count <= FrameEncoder.stateBound(schema.layouts))
  }
}
