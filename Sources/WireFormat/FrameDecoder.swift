/// What a decoded frame or keyframe did; the arrays are reused from frame to frame.
package struct FrameContent: Sendable {
  package var isKeyframe = false
  package var tick = Tick(0)
  /// Ticks since the frame before; 0 for a keyframe.
  package var span: UInt32 = 0
  /// Of a keyframe: number of the last reliable event that its state includes.
  package var lastEvent: UInt64 = 0
  /// Where the events lie in the frame's body; nil when it has none.
  package var events: EventBlock?
  package var removed: [EntityID] = []
  package var created: [EntityID] = []
  package var changed: [EntityID] = []
  /// For each of `changed` the mask of its changed fields.
  package var masks: [UInt64] = []
  /// Most bytes of state that a schema's mirror may take; guards against a hostile server.
  package static let mostStateBytes = 64 * 1024 * 1024

  package init() {}

  mutating func reset() {
    events = nil
    removed.removeAll(keepingCapacity: true)
    created.removeAll(keepingCapacity: true)
    changed.removeAll(keepingCapacity: true)
    masks.removeAll(keepingCapacity: true)
  }
}

/// A client's mirror of a room's state, and the decoder that applies frames to it: `docs/protocol.md` section 7.
package struct StateMirror: Sendable {
  package let schema: Schema
  package private(set) var tables: [EntityTable]
  /// The hash of the state (`docs/protocol.md` 5.3), kept as values change.
  package private(set) var hash: UInt64 = 0
  package private(set) var tick: Tick?
  private var indices: [UInt8] = []
  private var dictionary: [UInt64] = []

  /// An empty mirror; tables grow as entities appear, up to what the schema declares.
  package init(_ schema: Schema) {
    self.schema = schema
    tables = schema.layouts.map { EntityTable($0, rows: 0) }
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
    var next = 0
    for _ in 0..<count {
      let start = at
      let head = try body.varint(&at, "section")
      guard head >> 3 < UInt64(tables.count) else { throw WireError(.outOfRange, at: start, "section") }
      guard head >> 3 >= UInt64(next), head & 7 != 0 else { throw WireError(.inconsistent, at: start, "section") }
      let kind = Int(head >> 3)
      next = kind + 1
      if head & 1 != 0 { try applyRemoved(body, &at, kind, into: &content) }
      if head & 2 != 0 { try applyCreated(body, &at, kind, into: &content) }
      if head & 4 != 0 { try applyChanged(body, &at, kind, into: &content) }
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

  private func readGap(
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

  private func hashOfBlob(_ table: EntityTable, _ field: FieldLayout, _ kind: KindIndex, _ id: Int) -> UInt64 {
    table.withBlob(field, id) { bytes in
      guard bytes.count > 0 else { return 0 }
      let key = StateHash.key(kind: kind, column: field.columnNumber, id: id)
      return StateHash.mix(key | fnv1a64(bytes) & 0xFFFF_FFFF)
    }
  }

  // MARK: Changes

  private mutating func applyChanged(
    _ body: Span<UInt8>, _ at: inout Int, _ kind: Int, into content: inout FrameContent
  ) throws(WireError) {
    let first = content.changed.count
    let start = at
    let head = try body.varint(&at, "changed")
    let count = head >> 1
    guard count >= 1, count <= UInt64(tables[kind].layout.capacity) else {
      throw WireError(.outOfRange, at: start, "changed")
    }
    if head & 1 == 0 {
      guard count <= UInt64(body.count - at) else { throw WireError(.truncated, at: body.count, "changed") }
      var next: UInt64 = 0
      for _ in 0..<count {
        let id = try readGap(body, &at, from: next, kind)
        content.changed.append(EntityID(kind: KindIndex(UInt8(kind)), id: UInt16(id)))
        next = UInt64(id) + 1
      }
    } else {
      try readBitmap(body, &at, kind, count: Int(count), into: &content.changed)
    }
    for entity in content.changed[first...] where !tables[kind].contains(Int(entity.id)) {
      throw WireError(.inconsistent, at: at, "changed")
    }
    try readMasks(body, &at, kind, count: Int(count), into: &content.masks)
    for (index, field) in tables[kind].layout.fields.enumerated() {
      try applyColumn(body, &at, kind, field, bit: 1 << UInt64(index), content, from: first)
    }
  }

  private func readBitmap(
    _ body: Span<UInt8>, _ at: inout Int, _ kind: Int, count: Int, into ids: inout [EntityID]
  ) throws(WireError) {
    let capacity = tables[kind].layout.capacity
    let start = at
    let base = Int(try body.varint32(&at, "base"))
    let range = try body.bytes(&at, atMost: WireLimits.entities / 8, "bitmap")
    var found = 0
    for (offset, index) in range.enumerated() {
      var bits = body[index]
      while bits != 0 {
        let id = (base + offset) * 8 + bits.trailingZeroBitCount
        guard id < capacity else { throw WireError(.outOfRange, at: index, "bitmap") }
        guard found < count else { throw WireError(.inconsistent, at: start, "bitmap") }
        ids.append(EntityID(kind: KindIndex(UInt8(kind)), id: UInt16(id)))
        found += 1
        bits &= bits - 1
      }
    }
    guard found == count else { throw WireError(.inconsistent, at: start, "bitmap") }
  }

  private mutating func readMasks(
    _ body: Span<UInt8>, _ at: inout Int, _ kind: Int, count: Int, into masks: inout [UInt64]
  ) throws(WireError) {
    let all = tables[kind].layout.allFields
    let size = try body.varint(&at, in: 0...UInt64(MaskDictionary.most), "masks")
    if size == 0 {
      for _ in 0..<count { masks.append(try readMask(body, &at, all)) }
      return
    }
    dictionary.removeAll(keepingCapacity: true)
    for _ in 0..<size { dictionary.append(try readMask(body, &at, all)) }
    let width = MaskDictionary.width(size: size)
    let packed = (count * width + 7) / 8
    guard packed <= body.count - at else { throw WireError(.truncated, at: body.count, "masks") }
    for index in 0..<count {
      let bit = index * width
      let chosen = width == 0 ? 0 : Int(body[at + bit / 8] >> UInt8(bit % 8)) & (1 << width - 1)
      guard chosen < dictionary.count else { throw WireError(.outOfRange, at: at + bit / 8, "masks") }
      masks.append(dictionary[chosen])
    }
    let used = count * width % 8
    if used > 0, body[at + packed - 1] >> UInt8(used) != 0 {
      throw WireError(.inconsistent, at: at + packed - 1, "masks")
    }
    at += packed
  }

  private func readMask(_ body: Span<UInt8>, _ at: inout Int, _ all: UInt64) throws(WireError) -> UInt64 {
    let start = at
    let mask = try body.varint(&at, "mask")
    guard mask != 0, mask & ~all == 0 else { throw WireError(.outOfRange, at: start, "mask") }
    return mask
  }

  private mutating func applyColumn(
    _ body: Span<UInt8>, _ at: inout Int, _ kind: Int, _ field: FieldLayout, bit: UInt64, _ content: FrameContent,
    from first: Int
  ) throws(WireError) {
    switch field.coding {
    case .blob(let maxBytes, let isText):
      for index in first..<content.changed.count where content.masks[index] & bit != 0 {
        let id = Int(content.changed[index].id)
        let range = try body.blob(&at, maxBytes: maxBytes, isText: isText)
        let kindIndex = content.changed[index].kind
        hash &-= hashOfBlob(tables[kind], field, kindIndex, id)
        tables[kind].setBlob(field, id, body.extracting(range))
        hash &+= hashOfBlob(tables[kind], field, kindIndex, id)
      }
    case .quaternion:
      for part in 1...3 {
        for index in first..<content.changed.count where content.masks[index] & bit != 0 {
          let start = at
          let id = Int(content.changed[index].id)
          let coded = try body.varint32(&at, "value")
          if part == 1 {
            try store(Int32(bitPattern: coded & 3), kind, field, column: 0, id, at: start)
          }
          let way = unzigzag(part == 1 ? coded >> 2 : coded)
          let old = tables[kind].word(field.firstColumn + part, id)
          try store(old &+ way, kind, field, column: part, id, at: start)
        }
      }
    case .angle(let steps):
      for index in first..<content.changed.count where content.masks[index] & bit != 0 {
        let start = at
        let id = Int(content.changed[index].id)
        let way = try body.zigzag(&at, "value")
        guard let value = FieldLayout.angle(tables[kind].word(field.firstColumn, id), plus: way, steps: steps) else {
          throw WireError(.outOfRange, at: start, "value")
        }
        try store(value, kind, field, column: 0, id, at: start)
      }
    case .difference, .reference:
      for column in 0..<field.columnCount {
        for index in first..<content.changed.count where content.masks[index] & bit != 0 {
          let start = at
          let id = Int(content.changed[index].id)
          let way = try body.zigzag(&at, "value")
          let old = tables[kind].word(field.firstColumn + column, id)
          try store(old &+ way, kind, field, column: column, id, at: start)
        }
      }
    }
  }

  @inline(__always)
  private mutating func store(
    _ value: Int32, _ kind: Int, _ field: FieldLayout, column: Int, _ id: Int, at start: Int
  ) throws(WireError) {
    guard field.accepts(value, column: column, in: schema.layouts) else {
      throw WireError(.outOfRange, at: start, "value")
    }
    let key = StateHash.key(kind: KindIndex(UInt8(kind)), column: field.columnNumber + column, id: id)
    let old = tables[kind].word(field.firstColumn + column, id)
    hash = hash &- StateHash.term(key, old) &+ StateHash.term(key, value)
    tables[kind].setWord(field.firstColumn + column, id, value)
  }
}
