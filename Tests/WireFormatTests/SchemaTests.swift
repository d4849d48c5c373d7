import Testing
import VectorGenerator
import WireFormat

@Suite struct SchemaTests {
  private func fault(_ kinds: [EntityKind]) -> String? {
    do throws(SchemaError) {
      _ = try Schema(kinds)
      return nil
    } catch {
      return error.description
    }
  }

  private func fault(_ type: FieldType) -> String? {
    fault([EntityKind("avatar", capacity: 10, fields: [Field("speed", type)])])
  }

  /// Kind, field, value and what is allowed.
  @Test(arguments: [
    (FieldType.unsigned(bits: 0), "field \"avatar.speed\": bits is 1 to 32, not 0"),
    (.signed(bits: 33), "field \"avatar.speed\": bits is 1 to 32, not 33"),
    (.fixed(range: 0...1, step: 0), "field \"avatar.speed\": step is above 0 and finite, not 0.0"),
    (.fixed(range: 0...1, step: .infinity), "field \"avatar.speed\": step is above 0 and finite, not inf"),
    (
      .fixed(range: 0...1e9, step: 1e-9),
      "field \"avatar.speed\": the range has no multiple of the step 1e-09, or more than 2^31 of them: use a larger step or another range"
    ),
    (
      .fixed(range: 0.1...0.2, step: 1),
      "field \"avatar.speed\": the range has no multiple of the step 1.0, or more than 2^31 of them: use a larger step or another range"
    ),
    (.vector(5, range: 0...1, step: 1), "field \"avatar.speed\": a vector has 2 to 4 components, not 5"),
    (.angle(steps: 1), "field \"avatar.speed\": steps is 2 to 65536, not 1"),
    (.quaternion(bits: 16), "field \"avatar.speed\": bits is 2 to 15, not 16"),
    (.string(maxBytes: 0), "field \"avatar.speed\": maxBytes is 1 to 255, not 0"),
    (.bytes(maxBytes: 256), "field \"avatar.speed\": maxBytes is 1 to 255, not 256"),
  ])
  func aWrongParameterIsNamed(type: FieldType, description: String) {
    #expect(fault(type) == description)
  }

  @Test func wrongCountsAndNamesAreNamed() {
    let field = Field("x", .bool)
    #expect(fault([]) == "a schema has 1 to 32 entity kinds, not 0")
    #expect(
      fault((0..<33).map { EntityKind("k\($0)", capacity: 1, fields: [field]) })
        == "a schema has 1 to 32 entity kinds, not 33")
    #expect(
      fault([EntityKind("", capacity: 1, fields: [field])])
        == "the name \"\" of an entity kind has 0 bytes, 1 to 64 are allowed")
    #expect(
      fault([EntityKind("k", capacity: 0, fields: [field])]) == "entity kind \"k\": capacity is 1 to 65536, not 0")
    #expect(
      fault([EntityKind("k", capacity: 65537, fields: [field])])
        == "entity kind \"k\": capacity is 1 to 65536, not 65537")
    #expect(fault([EntityKind("k", capacity: 1, fields: [])]) == "entity kind \"k\" has 1 to 64 fields, not 0")
    #expect(
      fault([EntityKind("k", capacity: 1, fields: [field, field])])
        == "field \"x\" stands twice in entity kind \"k\": names must differ")
    let kind = EntityKind("k", capacity: 1, fields: [field])
    #expect(fault([kind, kind]) == "entity kind \"k\" stands twice: names must differ")
  }

  @Test func aKindThatNeedsTooManyColumnsIsRefused() {
    let fields = (0..<64).map { Field("q\($0)", .quaternion(bits: 10)) }
    #expect(
      fault([EntityKind("k", capacity: 1, fields: fields)])
        == "entity kind \"k\" needs 256 columns, at most 255 are allowed: use fewer vectors and quaternions")
    #expect(fault([EntityKind("k", capacity: 1, fields: Array(fields.dropLast()))]) == nil)
  }

  @Test func equalSchemasHaveEqualHashesAndOthersDiffer() throws {
    let one = try Schema([EntityKind("k", capacity: 1, fields: [Field("x", .bool)])])
    let same = try Schema([EntityKind("k", capacity: 1, fields: [Field("x", .bool)])])
    let other = try Schema([EntityKind("k", capacity: 2, fields: [Field("x", .bool)])])
    #expect(one == same)
    #expect(one.hash == same.hash)
    #expect(one != other)
    #expect(one.hash != other.hash)
    #expect(one.kind(named: "k") == KindIndex(0))
    #expect(one.kind(named: "none") == nil)
  }
}
