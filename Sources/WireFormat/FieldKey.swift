/// A handle to one field of one entity kind, with the Swift type it is read and written as.
///
/// ```swift
/// let position = try schema.key("avatar", "position", as: SIMD3<Double>.self)
/// ```
///
/// Look keys up once, where the room starts: from then on reading and writing need no names. A key belongs to the
/// schema it came from, and to any equal one.
public struct FieldKey<Value: FieldValue>: Sendable {
  /// The kind of the entities that have the field.
  public let kind: KindIndex
  /// The field's position in its kind, from 0: its bit in a change mask.
  public let field: Int
  /// The ``Schema/hash`` of the schema that the key belongs to.
  public let schemaHash: UInt64
  @usableFromInline package let layout: FieldLayout

  package init(kind: KindIndex, field: Int, schemaHash: UInt64, layout: FieldLayout) {
    self.kind = kind
    self.field = field
    self.schemaHash = schemaHash
    self.layout = layout
  }

  /// The field's type.
  public var type: FieldType { layout.type }

  /// The change mask with the bit of this field alone.
  public var mask: UInt64 { 1 << UInt64(field) }
}

extension Schema {
  /// The handle to a field.
  ///
  /// - Throws: ``SchemaError`` when there is no such kind or field, or it cannot be read as `Value`; the error lists
  ///   what there is.
  public func key<Value: FieldValue>(
    _ kind: String, _ field: String, as type: Value.Type = Value.self
  ) throws(SchemaError) -> FieldKey<Value> {
    guard let index = self.kind(named: kind) else {
      throw SchemaError("no entity kind \"\(kind)\": the schema has \(kinds.map(\.name).joined(separator: ", "))")
    }
    let fields = kinds[Int(index.rawValue)].fields
    guard let position = fields.firstIndex(where: { $0.name == field }) else {
      throw SchemaError(
        "entity kind \"\(kind)\" has no field \"\(field)\": it has \(fields.map(\.name).joined(separator: ", "))")
    }
    guard Value.fits(fields[position].type) else {
      throw SchemaError(
        "field \"\(kind).\(field)\" is \(fields[position].type), which cannot be read as \(Value.self): see FieldValue for what can"
      )
    }
    return FieldKey(
      kind: index, field: position, schemaHash: hash, layout: layouts[Int(index.rawValue)].fields[position])
  }

  /// Whether an entity can exist: its kind does and its id is below the kind's capacity. A reference must pass this
  /// before it is stored.
  package func allows(_ entity: EntityID) -> Bool {
    let kind = Int(entity.kind.rawValue)
    return kind < layouts.count && Int(entity.id) < layouts[kind].capacity
  }
}

extension EntityTable {
  /// The value of a field of entity `id`, which is below ``rows``; the zero state for one that is not present.
  @inlinable
  package func load<Value: FieldValue>(_ key: FieldKey<Value>, _ id: Int) -> Value {
    let field = key.layout
    if field.columnCount > 0 { return Value(words: words(of: field, id), of: field.type) }
    return withBlob(field, id) { Value(blob: $0) }
  }

  /// Sets a field of entity `id`, which is present, to the nearest value that it can hold.
  ///
  /// A ``FieldValue`` may be the game's own, and an entity may come from a client: what no decoder would accept is brought
  /// into range here, whoever stores it.
  ///
  /// - Parameter layouts: of the whole schema: a reference may name an entity of any kind.
  @inlinable
  @discardableResult
  package mutating func store<Value: FieldValue>(
    _ key: FieldKey<Value>, _ id: Int, _ value: Value, in layouts: [KindLayout]
  ) -> Stored {
    let field = key.layout
    if field.columnCount > 0 { return setWords(of: field, id, value.words(for: field.type), in: layouts) }
    return setBlobIfChanged(field, id, value.blob(maxBytes: field.type.blobBytes ?? 0))
  }

  /// The columns of a field, in one call: cheaper across modules than one call each.
  @usableFromInline
  package func words(of field: FieldLayout, _ id: Int) -> SIMD4<Int32> {
    var all = SIMD4<Int32>()
    for column in 0..<field.columnCount { all[column] = word(field.firstColumn + column, id) }
    return all
  }

  @usableFromInline
  package mutating func setWords(
    of field: FieldLayout, _ id: Int, _ all: SIMD4<Int32>, in layouts: [KindLayout]
  ) -> Stored {
    var stored = Stored()
    for column in 0..<field.columnCount {
      var word = all[column]
      if !field.accepts(word, column: column, in: layouts) {
        stored.fault = field.type == .reference ? .reference : .value
        word = field.nearest(word, column: column)
      }
      guard self.word(field.firstColumn + column, id) != word else { continue }
      setWord(field.firstColumn + column, id, word)
      stored.hasChanged = true
    }
    return stored
  }

  @usableFromInline
  package mutating func setBlobIfChanged(_ field: FieldLayout, _ id: Int, _ bytes: [UInt8]) -> Stored {
    // What is there has been checked.
    guard !hasBlob(field, id, bytes[...]) else { return Stored() }
    let (allowed, fault) = field.allowedBlob(bytes)
    guard !hasBlob(field, id, allowed) else { return Stored(fault: fault) }
    setBlob(field, id, allowed.span)
    return Stored(hasChanged: true, fault: fault)
  }

  private func hasBlob(_ field: FieldLayout, _ id: Int, _ bytes: ArraySlice<UInt8>) -> Bool {
    withBlob(field, id) { old in old.count == bytes.count && zip(old.indices, bytes).allSatisfy { old[$0] == $1 } }
  }
}

/// What became of a value that was to be stored.
@usableFromInline
package struct Stored: Equatable {
  /// Whether the quantised value is another one now.
  package var hasChanged = false
  /// What no decoder would have accepted.
  package var fault: StoreFault?
}

/// Why a value could not be stored as it was.
package enum StoreFault: String, CaseIterable, Sendable {
  /// A number out of the field's range: stored as the nearest one.
  case value
  /// An entity that cannot exist in the schema: stored as none.
  case reference
  /// More bytes than the field holds: cut.
  case tooLong
  /// Bytes that are no UTF-8 in a string field: cut before the first of them.
  case text
}

extension FieldLayout {
  /// The allowed quantised value that is nearest to one that is not.
  fileprivate func nearest(_ word: Int32, column: Int) -> Int32 {
    if case .reference = coding { return 0 }
    let (low, high) = bounds(ofColumn: column)
    return min(max(word, low), high)
  }

  /// As much of a blob as the field may hold, and what was wrong with all of it.
  fileprivate func allowedBlob(_ bytes: [UInt8]) -> (ArraySlice<UInt8>, StoreFault?) {
    guard case .blob(let maxBytes, let isText) = coding else { return ([], bytes.isEmpty ? nil : .tooLong) }
    let kept = bytes.prefix(maxBytes)
    let fault: StoreFault? = bytes.count > maxBytes ? .tooLong : nil
    guard isText else { return (kept, fault) }
    do throws(UTF8.ValidationError) {
      _ = try UTF8Span(validating: kept.span)
      return (kept, fault)
    } catch {
      return (kept.prefix(error.byteOffsets.lowerBound), fault ?? .text)
    }
  }
}
