import RoomEngine
import RoomTestKit
import Testing
import WireFormat

/// Stores anything: fits every field, and gives it whatever it holds.
private struct Anything: FieldValue {
  var words = SIMD4<Int32>()
  var bytes: [UInt8] = []

  static func fits(_ type: FieldType) -> Bool { true }
  init(words: SIMD4<Int32>, of type: FieldType) { self.words = words }
  init(blob: Span<UInt8>) { bytes = (0..<blob.count).map { blob[$0] } }
  init(words: SIMD4<Int32>, bytes: [UInt8]) { (self.words, self.bytes) = (words, bytes) }
  func words(for type: FieldType) -> SIMD4<Int32> { words }
  func blob(maxBytes: Int) -> [UInt8] { bytes }
}

private final class Silent: RoomLogic {}

@Suite("Whatever is stored, every client can read it") struct HostileValueTests {
  private static let types: [FieldType] = [
    .bool, .unsigned(bits: 1), .unsigned(bits: 32), .unsigned(bits: 7), .signed(bits: 1), .signed(bits: 32),
    .signed(bits: 9), .fixed(range: -10...10, step: 0.5), .fixed(range: 3...9, step: 1),
    .fixed(range: -9 ... -3, step: 1),
    .vector(2, range: -1...1, step: 0.1), .vector(4, range: 5...6, step: 0.25), .angle(steps: 2), .angle(steps: 65536),
    .angle(steps: 360), .quaternion(bits: 2), .quaternion(bits: 15), .string(maxBytes: 1), .string(maxBytes: 255),
    .string(maxBytes: 12), .bytes(maxBytes: 1), .bytes(maxBytes: 255), .bytes(maxBytes: 3), .reference,
  ]

  private func word(_ random: inout SplitMix64) -> Int32 {
    let near = Int32.random(in: -70_000...70_000, using: &random)
    let bits = Int32(truncatingIfNeeded: random.next())
    return [near, bits, 0, -1, 1, .min, .max].randomElement(using: &random) ?? 0
  }

  private func bytes(_ random: inout SplitMix64) -> [UInt8] {
    let count = Int.random(in: 0...[2, 14, 600].randomElement(using: &random)!, using: &random)
    let text = Array("aé漢🎈".utf8)
    return random.next() % 2 == 0
      ? (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) } : (0..<count).map { text[$0 % text.count] }
  }

  @Test(
    "a value of a game's own type that keeps to nothing is brought into range", arguments: 1...8 as ClosedRange<UInt64>)
  func anything(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let fields = Self.types.enumerated().map { Field("f\($0.offset)", $0.element) }
    let schema = try Schema([
      EntityKind("thing", capacity: 9, fields: fields), EntityKind("other", capacity: 2, fields: [fields[0]]),
    ])
    let keys = try fields.map { try schema.key("thing", $0.name, as: Anything.self) }
    let room = SimulatedRoom(RoomKind("hostile", schema: schema, capacity: 4) { Silent() })
    let ann = room.join()
    room.advance(ticks: 1)
    let things = (0..<9).compactMap { _ in room.room.create(KindIndex(0)) }
    for _ in 0..<60 {
      for _ in 0..<40 {
        guard let thing = things.randomElement(using: &random), let key = keys.randomElement(using: &random) else {
          return
        }
        let words = SIMD4(word(&random), word(&random), word(&random), word(&random))
        room.room.set(key, of: thing, to: Anything(words: words, bytes: bytes(&random)))
      }
      room.advance(ticks: 1)
      #expect(ann.isInRoom && ann.stateHash == room.stateHash)
    }
    // A newcomer reads the keyframe.
    let bob = room.join()
    room.advance(ticks: 1)
    #expect(bob.isInRoom && bob.stateHash == ann.stateHash)
    let told = room.faults
    #expect(told.allSatisfy { $0.hasPrefix("the game gave thing.f") }, "\(told.prefix(3))")
    #expect(Set(room.room.counters.gameFaults.keys) == Set(StoreFault.allCases.map { .stored($0) }))
  }

  @Test("what a field may hold is stored as it is, and is no fault")
  func honest() throws {
    let schema = try Schema([
      EntityKind("thing", capacity: 3, fields: [Field("name", .string(maxBytes: 5)), Field("to", .reference)])
    ])
    let room = SimulatedRoom(RoomKind("honest", schema: schema, capacity: 4) { Silent() })
    let thing = try #require(room.room.create(KindIndex(0)))
    let name: FieldKey<String> = try schema.key("thing", "name")
    let to: FieldKey<EntityID?> = try schema.key("thing", "to")
    room.room[thing, name] = "漢字"
    // One that does not exist, and could.
    room.room[thing, to] = EntityID(kind: KindIndex(0), id: 2)
    #expect(room.room[thing, name] == "漢", "cut after the last whole character")
    #expect(room.room[thing, to] == EntityID(kind: KindIndex(0), id: 2))
    room.advance(ticks: 1)
    #expect(room.faults == [])
  }
}
