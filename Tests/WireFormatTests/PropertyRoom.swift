import VectorGenerator
import WireFormat

/// A room of random kinds that changes at random: the source of frames for the property tests.
struct PropertyRoom {
  let schema: Schema
  var tables: [TrackedTable]
  private(set) var tick: UInt32 = 0
  private(set) var mostBytes = 0
  private var encoder: FrameEncoder
  private var random: SplitMix64

  init(seed: UInt64) throws {
    random = SplitMix64(seed: seed)
    schema = try Self.schema(&random)
    tables = schema.layouts.map { TrackedTable($0) }
    encoder = FrameEncoder(entities: schema.layouts.map(\.capacity).max() ?? 0)
  }

  var stateBound: Int { FrameEncoder.stateBound(schema.layouts) }

  // MARK: Schema

  private static func schema(_ random: inout SplitMix64) throws -> Schema {
    var kinds: [EntityKind] = []
    for kind in 0..<Int.random(in: 1...3, using: &random) {
      var fields: [Field] = []
      for field in 0..<Int.random(in: 1...12, using: &random) {
        fields.append(Field("f\(field)", type(Int.random(in: 0...9, using: &random), &random)))
      }
      kinds.append(
        EntityKind("k\(kind)", capacity: [1, 7, 64, 200].randomElement(using: &random) ?? 1, fields: fields))
    }
    return try Schema(kinds)
  }

  private static func type(_ number: Int, _ random: inout SplitMix64) -> FieldType {
    let low = Int32.random(in: .min...0, using: &random)
    let fixed = FixedPoint(low: low, high: Int32.random(in: low...(.max), using: &random), step: 0.25)
    switch number {
    case 0: return .bool
    case 1: return .unsigned(bits: Int.random(in: 1...32, using: &random))
    case 2: return .signed(bits: Int.random(in: 1...32, using: &random))
    case 3: return .fixed(fixed)
    case 4: return .vector(Int.random(in: 2...4, using: &random), fixed)
    case 5: return .angle(steps: Int.random(in: 2...65536, using: &random))
    case 6: return .quaternion(bits: Int.random(in: 2...15, using: &random))
    case 7: return .string(maxBytes: Int.random(in: 1...255, using: &random))
    case 8: return .bytes(maxBytes: Int.random(in: 1...255, using: &random))
    default: return .reference
    }
  }

  // MARK: Changes

  /// Creates, removes and writes some entities; sometimes nothing.
  mutating func change() {
    for kind in tables.indices where !random.oneIn(4) {
      for _ in 0..<Int.random(in: 0...tables[kind].current.layout.capacity, using: &random) {
        let id = Int.random(in: 0..<tables[kind].current.layout.capacity, using: &random)
        if !tables[kind].current.contains(id) {
          create(kind, id)
        } else if random.oneIn(6) {
          tables[kind].remove(id)
          if random.oneIn(2) { create(kind, id) }
        } else {
          write(kind, id)
        }
      }
    }
  }

  private mutating func create(_ kind: Int, _ id: Int) {
    let owner = random.oneIn(2) ? nil : PlayerID(rawValue: UInt16.random(in: 0...UInt16.max, using: &random))
    tables[kind].create(id, generation: UInt8.random(in: 0...255, using: &random), owner: owner)
    if !random.oneIn(3) { write(kind, id) }
  }

  private mutating func write(_ kind: Int, _ id: Int) {
    tables[kind].touch(id)
    for field in schema.layouts[kind].fields where random.oneIn(2) {
      if let most = field.type.blobBytes {
        let count = Int.random(in: 0...most, using: &random)
        var bytes = random.bytes(count)
        if case .string = field.type { bytes = bytes.map { $0 & 0x7F } }
        tables[kind].current.setBlob(field, id, bytes.span)
        continue
      }
      for column in 0..<field.columnCount {
        let word = word(field, column, old: tables[kind].current.word(field.firstColumn + column, id))
        tables[kind].current.setWord(field.firstColumn + column, id, word)
      }
    }
  }

  /// A value in the field's range: near the old one, at an end, or anywhere.
  private mutating func word(_ field: FieldLayout, _ column: Int, old: Int32) -> Int32 {
    if case .reference = field.type {
      guard let kind = schema.layouts.indices.randomElement(using: &random) else { return 0 }
      let id = Int.random(in: 0..<schema.layouts[kind].capacity, using: &random)
      return random.oneIn(3) ? 0 : EntityID.referenceWord(EntityID(kind: KindIndex(UInt8(kind)), id: UInt16(id)))
    }
    var candidates: [Int32] = [old &+ 1, old &- 1, .min, .max, 0, old]
    switch field.type {
    // A range need not include 0, the value of a field that was never written.
    case .fixed(let fixed), .vector(_, let fixed): candidates += [fixed.low, fixed.high]
    default: break
    }
    for bits in 0..<31 { candidates.append(Int32.random(in: -(1 << Int32(bits))...(1 << Int32(bits)), using: &random)) }
    candidates.shuffle(using: &random)
    return candidates.first { field.accepts($0, column: column, in: schema.layouts) } ?? old
  }

  // MARK: Frames

  /// The body of the frame of the next tick.
  mutating func frame() -> [UInt8] {
    tick += 1
    let state = encodedBytes(bound: stateBound) { _ = encoder.encodeChanges(of: &tables, into: &$0) }
    return body(isKeyframe: false, state)
  }

  /// The body of the keyframe of the last frame's tick.
  mutating func keyframe() -> [UInt8] {
    let state = encodedBytes(bound: stateBound) { _ = encoder.encodeKeyframe(of: tables, into: &$0) }
    return body(isKeyframe: true, state)
  }

  private mutating func body(isKeyframe: Bool, _ state: [UInt8]) -> [UInt8] {
    mostBytes = max(mostBytes, state.count)
    let tick = tick
    return encodedBytes(bound: state.count + 16) { out in
      out.put(byte: (isKeyframe ? 1 : 0) | (state.isEmpty ? 0 : 4))
      out.put(varint: UInt64(tick))
      out.put(varint: isKeyframe ? 0 : 1)
      out.put(raw: state.span)
    }
  }
}
