/// What is synchronised in a room: the entity kinds and their fields.
///
/// ```swift
/// let schema = try Schema([
///   EntityKind("avatar", capacity: 100, fields: [
///     Field("position", .vector(3, range: -512...512, step: 0.01)),
///     Field("yaw", .angle(steps: 360)),
///     Field("name", .string(maxBytes: 24)),
///   ])
/// ])
/// ```
public struct Schema: Equatable, Sendable {
  /// The entity kinds; an entity's ``KindIndex`` is the position here. 1 to 32.
  public let kinds: [EntityKind]
  /// FNV-1a 64 of the encoded schema, never 0. Client and server with the same hash have the same schema.
  public let hash: UInt64
  /// The schema as it goes over the wire.
  package let encoded: [UInt8]
  package let layouts: [KindLayout]

  /// Checks the kinds and lays out their columns.
  ///
  /// - Throws: ``SchemaError`` that names the kind, the field, the value and what is allowed.
  public init(_ kinds: [EntityKind]) throws(SchemaError) {
    guard (1...WireLimits.kinds).contains(kinds.count) else {
      throw SchemaError("a schema has 1 to \(WireLimits.kinds) entity kinds, not \(kinds.count)")
    }
    var names = Set<String>()
    var layouts: [KindLayout] = []
    for (index, kind) in kinds.enumerated() {
      try kind.validate()
      guard names.insert(kind.name).inserted else {
        throw SchemaError("entity kind \"\(kind.name)\" stands twice: names must differ")
      }
      layouts.append(KindLayout(kind, index: KindIndex(UInt8(index))))
    }
    self.kinds = kinds
    self.layouts = layouts
    let encoded = Self.encode(kinds)
    guard encoded.count <= WireLimits.schemaBytes else {
      throw SchemaError(
        "the schema takes \(encoded.count) bytes encoded, at most \(WireLimits.schemaBytes) are allowed: use fewer kinds or fields"
      )
    }
    self.encoded = encoded
    hash = Self.hash(of: encoded)
  }

  /// The position of the kind with this name, or nil.
  public func kind(named name: String) -> KindIndex? {
    kinds.firstIndex { $0.name == name }.map { KindIndex(UInt8($0)) }
  }

  /// Two schemas are equal when their bytes are.
  public static func == (one: Schema, other: Schema) -> Bool { one.encoded == other.encoded }
}

/// A kind of entity: its name, how many there may be and its fields.
public struct EntityKind: Equatable, Sendable {
  /// 1 to 64 bytes, unique in its schema.
  public let name: String
  /// How many entity ids the kind has, 1 to 65536. Ids of removed entities rest for the length of the frame log, so
  /// allow for turnover.
  public let capacity: Int
  /// 1 to 64 fields; a field's number is its position.
  public let fields: [Field]

  /// An entity kind; checked when it becomes part of a ``Schema``.
  public init(_ name: String, capacity: Int, fields: [Field]) {
    self.name = name
    self.capacity = capacity
    self.fields = fields
  }

  func validate() throws(SchemaError) {
    try SchemaError.check(name: name, what: "an entity kind")
    guard (1...WireLimits.entities).contains(capacity) else {
      throw SchemaError("entity kind \"\(name)\": capacity is 1 to \(WireLimits.entities), not \(capacity)")
    }
    guard (1...WireLimits.fields).contains(fields.count) else {
      throw SchemaError("entity kind \"\(name)\" has 1 to \(WireLimits.fields) fields, not \(fields.count)")
    }
    var names = Set<String>()
    var columns = 0
    for field in fields {
      try SchemaError.check(name: field.name, what: "a field of \"\(name)\"")
      guard names.insert(field.name).inserted else {
        throw SchemaError("field \"\(field.name)\" stands twice in entity kind \"\(name)\": names must differ")
      }
      if let fault = field.type.fault { throw SchemaError("field \"\(name).\(field.name)\": \(fault)") }
      columns += field.type.columnNumbers
    }
    guard columns <= WireLimits.columns else {
      throw SchemaError(
        "entity kind \"\(name)\" needs \(columns) columns, at most \(WireLimits.columns) are allowed: use fewer vectors and quaternions"
      )
    }
  }
}

/// A field of an entity kind.
public struct Field: Equatable, Sendable {
  /// 1 to 64 bytes, unique in its kind.
  public let name: String
  /// What it holds and how it is quantised.
  public let type: FieldType

  /// A field; checked when it becomes part of a ``Schema``.
  public init(_ name: String, _ type: FieldType) {
    self.name = name
    self.type = type
  }
}

/// Why a schema is not valid.
public struct SchemaError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Names the kind, the field, the value and what is allowed.
  public let description: String

  package init(_ description: String) { self.description = description }

  static func check(name: String, what: String) throws(SchemaError) {
    guard WireLimits.nameBytes.contains(name.utf8.count) else {
      throw SchemaError("the name \"\(name)\" of \(what) has \(name.utf8.count) bytes, 1 to 64 are allowed")
    }
  }
}
