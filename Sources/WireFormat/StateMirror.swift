/// A client's mirror of a room's state, and the decoder that applies frames to it: `docs/protocol.md` section 7.
package struct StateMirror: Sendable {
  package let schema: Schema
  package internal(set) var tables: [EntityTable]
  /// The hash of the state (`docs/protocol.md` 5.3), kept as values change.
  package internal(set) var hash: UInt64 = 0
  package private(set) var tick: Tick?
  /// What the parts of the frames took, if it is to be counted.
  package var costs: FrameCosts?
  /// Places in the list of changed entities of those that have the field at hand.
  var members: [UInt16] = []

  /// An empty mirror; tables grow as entities appear, up to what the schema declares.
  package init(_ schema: Schema) {
    self.schema = schema
    tables = schema.layouts.map { EntityTable($0, rows: 0, keepsSteps: true) }
  }

  /// Applies the body of a Frame message.
  ///
  /// - Throws: ``WireError``; the mirror is then undefined and the connection must end.
  package mutating func apply(_ body: Span<UInt8>, into content: inout FrameContent) throws(WireError) {
    try apply(FrameHead(body), body, into: &content)
  }

  /// Applies the body of a Frame message whose head was read already.
  package mutating func apply(
    _ head: FrameHead, _ body: Span<UInt8>, into content: inout FrameContent
  ) throws(WireError) {
    content.reset()
    content.isKeyframe = head.isKeyframe
    content.tick = head.tick
    content.span = head.span
    content.lastEvent = head.lastEvent
    content.events = head.events
    if head.isKeyframe { clear() }
    var at = head.stateStart
    costs?.count(.head, bytes: head.eventsStart)
    costs?.count(.events, bytes: at - head.eventsStart)
    if head.hasState { try applySections(body, &at, into: &content) }
    try body.end(at)
    tick = head.tick
  }

  private mutating func clear() {
    for index in tables.indices { tables[index].removeAll() }
    hash = 0
  }

  private mutating func applySections(
    _ body: Span<UInt8>, _ at: inout Int, into content: inout FrameContent
  ) throws(WireError) {
    let count = try body.varint(&at, in: 1...UInt64(tables.count), "sectionCount")
    costs?.count(.sections, bytes: 1)
    var next = 0
    for _ in 0..<count {
      let start = at
      let head = try body.varint(&at, "section")
      guard head >> 3 < UInt64(tables.count) else { throw WireError(.outOfRange, at: start, "section") }
      guard head >> 3 >= UInt64(next), head & 7 != 0 else { throw WireError(.inconsistent, at: start, "section") }
      let kind = Int(head >> 3)
      next = kind + 1
      costs?.count(.sections, bytes: at - start)
      let born = at
      if head & 1 != 0 { try applyRemoved(body, &at, kind, into: &content) }
      let firstCreated = content.created.count
      if head & 2 != 0 { try applyCreated(body, &at, kind, into: &content) }
      costs?.count(.births, bytes: at - born)
      if head & 4 != 0 { try applyChanged(body, &at, kind, bornFrom: firstCreated, into: &content) }
    }
  }

  // MARK: Births and deaths

  private mutating func applyRemoved(
    _ body: Span<UInt8>, _ at: inout Int, _ kind: Int, into content: inout FrameContent
  ) throws(WireError) {
    let index = KindIndex(UInt8(kind))
    let first = content.removed.count
    try readSet(body, &at, kind, into: &content.removed)
    for entity in content.removed[first...] {
      let id = Int(entity.id)
      guard tables[kind].contains(id) else { throw WireError(.inconsistent, at: at, "removed") }
      hash &-= hashOfEntity(index, id)
      tables[kind].remove(id)
    }
  }

  private mutating func applyCreated(
    _ body: Span<UInt8>, _ at: inout Int, _ kind: Int, into content: inout FrameContent
  ) throws(WireError) {
    let first = content.created.count
    try readSet(body, &at, kind, into: &content.created)
    for entity in content.created[first...] {
      let id = Int(entity.id)
      let generation = try body.byte(&at, "generation")
      let start = at
      let owner = try body.varint32(&at, "owner")
      guard owner <= UInt32(WireLimits.players) else { throw WireError(.outOfRange, at: start, "owner") }
      tables[kind].makeRoom(for: id)
      guard !tables[kind].contains(id) else { throw WireError(.inconsistent, at: start, "created") }
      tables[kind].insert(id, generation: generation, owner: owner)
      hash &+= StateHash.term(kind: entity.kind, id: id, generation: generation, owner: owner)
    }
  }

  private func readSet(
    _ body: Span<UInt8>, _ at: inout Int, _ kind: Int, into set: inout [EntityID]
  ) throws(WireError) {
    let start = at
    let count = try body.varint(&at, "idset")
    // Each id takes a byte at least, so the count is bounded by what is really there before anything is appended.
    guard count >= 1, count <= UInt64(tables[kind].layout.capacity) else {
      throw WireError(.outOfRange, at: start, "idset")
    }
    guard count <= UInt64(body.count - at) else { throw WireError(.truncated, at: body.count, "idset") }
    var next: UInt64 = 0
    for _ in 0..<count {
      let id = try readGap(body, &at, from: next, kind)
      set.append(EntityID(kind: KindIndex(UInt8(kind)), id: UInt16(id)))
      next = UInt64(id) + 1
    }
  }

  func readGap(
    _ body: Span<UInt8>, _ at: inout Int, from next: UInt64, _ kind: Int
  ) throws(WireError) -> Int {
    let start = at
    let id = next + UInt64(try body.varint32(&at, "id"))
    guard id < UInt64(tables[kind].layout.capacity) else { throw WireError(.outOfRange, at: start, "id") }
    return Int(id)
  }

  private func hashOfEntity(_ kind: KindIndex, _ id: Int) -> UInt64 {
    let table = tables[Int(kind.rawValue)]
    var sum = StateHash.term(kind: kind, id: id, generation: table.generations[id], owner: table.owners[id])
    for field in table.layout.fields {
      if field.columnCount == 0 {
        sum &+= hashOfBlob(table, field, kind, id)
      } else {
        for column in 0..<field.columnCount {
          let key = StateHash.key(kind: kind, column: field.columnNumber + column, id: id)
          sum &+= StateHash.term(key, table.word(field.firstColumn + column, id))
        }
      }
    }
    return sum
  }

  func hashOfBlob(_ table: EntityTable, _ field: FieldLayout, _ kind: KindIndex, _ id: Int) -> UInt64 {
    table.withBlob(field, id) { bytes in
      guard bytes.count > 0 else { return 0 }
      let key = StateHash.key(kind: kind, column: field.columnNumber, id: id)
      return StateHash.mix(key | fnv1a64(bytes) & 0xFFFF_FFFF)
    }
  }
}
