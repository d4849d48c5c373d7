import Testing
import WireFormat

struct TypedFieldTests {
  enum Weapon: Int, FieldValue {
    case none, sword, bow
    static func fits(_ type: FieldType) -> Bool { Int.fits(type) }
    init(words: SIMD4<Int32>, of type: FieldType) {
      self = Weapon(rawValue: Int(words: words, of: type)) ?? .none
    }
    func words(for type: FieldType) -> SIMD4<Int32> { rawValue.words(for: type) }
  }

  private let schema: Schema
  private let zero: EntityTable

  init() throws {
    let types: [(String, FieldType)] = [
      ("flag", .bool), ("small", .unsigned(bits: 4)), ("wide", .unsigned(bits: 32)), ("signed", .signed(bits: 8)),
      ("number", .fixed(range: -10...10, step: 0.25)), ("angle", .angle(steps: 720)),
      ("plane", .vector(2, range: -8...8, step: 0.5)), ("space", .vector(3, range: -8...8, step: 0.5)),
      ("four", .vector(4, range: -8...8, step: 0.5)), ("turn", .quaternion(bits: 12)),
      ("text", .string(maxBytes: 8)), ("raw", .bytes(maxBytes: 4)), ("other", .reference),
    ]
    schema = try Schema([EntityKind("thing", capacity: 4, fields: types.map { Field($0.0, $0.1) })])
    var table = EntityTable(schema.layouts[0], rows: 4)
    table.insert(1, generation: 0, owner: 0)
    zero = table
  }

  private func roundTrip<Value: FieldValue>(_ field: String, _ value: Value) throws -> Value {
    let key = try schema.key("thing", field, as: Value.self)
    var table = zero
    table.store(key, 1, value, in: schema.layouts)
    let again = table.store(key, 1, value, in: schema.layouts)
    #expect(!again.hasChanged && again.fault == nil, "the same value again is no change")
    return table.load(key, 1)
  }

  @Test func everyTypeKeepsItsValue() throws {
    #expect(try roundTrip("flag", true))
    #expect(try roundTrip("small", 9) == 9)
    #expect(try roundTrip("wide", 4_000_000_000) == 4_000_000_000)
    #expect(try roundTrip("signed", -128) == -128)
    #expect(try roundTrip("number", -3.75) == -3.75)
    #expect(try roundTrip("angle", 90.5) == 90.5)
    #expect(try roundTrip("plane", SIMD2(1.5, -2)) == SIMD2(1.5, -2))
    #expect(try roundTrip("space", SIMD3(1.5, -2, 8)) == SIMD3(1.5, -2, 8))
    #expect(try roundTrip("four", SIMD4(1.5, -2, 8, 0.5)) == SIMD4(1.5, -2, 8, 0.5))
    #expect(try roundTrip("text", "Zoë") == "Zoë")
    #expect(try roundTrip("raw", [1, 2, 3]) == [1, 2, 3])
    let other = EntityID(kind: KindIndex(0), id: 3)
    #expect(try roundTrip("other", Optional(other)) == other)
    #expect(try roundTrip("other", EntityID?.none) == nil)
    #expect(try roundTrip("small", Weapon.bow) == .bow)
    let turn = try roundTrip("turn", Quaternion(w: 0.5, x: -0.5, y: 0.5, z: -0.5))
    #expect(abs(turn.w - 0.5) < 1e-3 && abs(turn.x + 0.5) < 1e-3)
  }

  @Test func valuesAreBroughtIntoRange() throws {
    #expect(try roundTrip("small", 99) == 15)
    #expect(try roundTrip("small", -1) == 0)
    #expect(try roundTrip("signed", 1_000) == 127)
    #expect(try roundTrip("wide", Int.max) == 4_294_967_295)
    #expect(try roundTrip("number", 1e300) == 10)
    #expect(try roundTrip("number", -.infinity) == -10)
    #expect(try roundTrip("number", Double.nan) == 0)
    #expect(try roundTrip("number", 0.1) == 0)
    #expect(try roundTrip("angle", -90.0) == 270)
    #expect(try roundTrip("angle", 359.9) == 0)
    #expect(try roundTrip("angle", -0.1) == 0)
    #expect(try roundTrip("angle", 1e308).isFinite)
    #expect(try roundTrip("plane", SIMD2(100, -100)) == SIMD2(8, -8))
    #expect(try roundTrip("text", "Zoë and all") == "Zoë and")
    #expect(try roundTrip("text", "1234567é") == "1234567")
    #expect(try roundTrip("raw", [1, 2, 3, 4, 5]) == [1, 2, 3, 4])
    #expect(try roundTrip("other", Optional(EntityID(kind: KindIndex(200), id: 1))) == nil)
  }

  @Test func wrongNamesAndTypesAreExplained() {
    func message(_ kind: String, _ field: String, _ body: () throws -> Void) -> String {
      do { try body() } catch { return "\(error)" }
      return "no error"
    }
    #expect(
      message("x", "y") { _ = try schema.key("ghost", "flag", as: Bool.self) }
        == "no entity kind \"ghost\": the schema has thing")
    #expect(
      message("x", "y") { _ = try schema.key("thing", "flog", as: Bool.self) }
        .hasPrefix("entity kind \"thing\" has no field \"flog\": it has flag, small"))
    #expect(
      message("x", "y") { _ = try schema.key("thing", "flag", as: String.self) }
        .hasPrefix("field \"thing.flag\" is bool, which cannot be read as String"))
  }
}
