/// The entities of one kind in a room: their state now, their state as of the last frame, and what may differ between
/// the two.
package struct TrackedTable: Sendable {
  package var current: EntityTable
  /// What every client that has the last frame holds.
  package internal(set) var baseline: EntityTable
  /// Ids written since the last frame; one bit an id. Whether they really changed is found when the frame is encoded.
  var touched: [UInt64]
  var created: [UInt64]
  var removed: [UInt64]
  package private(set) var touchedAny = false

  package init(_ layout: KindLayout) {
    current = EntityTable(layout, rows: layout.capacity)
    baseline = EntityTable(layout, rows: layout.capacity, keepsSteps: true)
    touched = Array(repeating: 0, count: current.presence.count)
    created = touched
    removed = touched
  }

  /// Adds an entity; fields whose range leaves out 0 get the allowed value nearest to it.
  package mutating func create(_ id: Int, generation: UInt8, owner: PlayerID?) {
    for field in current.layout.fields where field.low > 0 || field.high < 0 {
      for column in 0..<field.columnCount {
        current.setWord(field.firstColumn + column, id, field.low > 0 ? field.low : field.high)
      }
    }
    current.insert(id, generation: generation, owner: owner.map { UInt32($0.rawValue) + 1 } ?? 0)
    created[id >> 6] |= 1 << UInt64(id & 63)
    touch(id)
  }

  /// Removes an entity. One that was created since the last frame leaves no trace.
  package mutating func remove(_ id: Int) {
    let bit: UInt64 = 1 << UInt64(id & 63)
    current.remove(id)
    touched[id >> 6] &= ~bit
    if created[id >> 6] & bit != 0 {
      created[id >> 6] &= ~bit
    } else {
      removed[id >> 6] |= bit
      touchedAny = true
    }
  }

  @inline(__always)
  package mutating func touch(_ id: Int) {
    touched[id >> 6] |= 1 << UInt64(id & 63)
    touchedAny = true
  }

  mutating func settle() {
    for index in touched.indices {
      touched[index] = 0
      created[index] = 0
      removed[index] = 0
    }
    touchedAny = false
  }
}

/// One look at a kind's table among all: from another module each would copy the table to look at it.
extension [TrackedTable] {
  package func contains(_ entity: EntityID) -> Bool {
    let kind = Int(entity.kind.rawValue)
    return kind < count && self[kind].current.contains(Int(entity.id))
  }

  /// The owner, or nil when the server owns it or it does not exist.
  package func owner(of entity: EntityID) -> PlayerID? {
    contains(entity) ? self[Int(entity.kind.rawValue)].current.owner(of: Int(entity.id)) : nil
  }
}

extension TrackedTable {
  /// Copies the fields of `mask` from a row of the same kind's table among others.
  package mutating func copy(_ mask: UInt64, from sources: [EntityTable], row: Int, to id: Int) {
    let kind = Int(current.layout.index.rawValue)
    let (fields, rows, sourceRows) = (current.layout.fields, current.rows, sources[kind].rows)
    let source = sources[kind].words
    var words = current.words.mutableSpan
    var (rest, blobs) = (mask, UInt64(0))
    while rest != 0 {
      let index = rest.trailingZeroBitCount
      rest &= rest - 1
      let (first, count) = (fields[index].firstColumn, fields[index].columnCount)
      if count == 0 { blobs |= 1 << UInt64(index) }
      for column in first..<(first + count) { words[column * rows + id] = source[column * sourceRows + row] }
    }
    while blobs != 0 {
      let field = fields[blobs.trailingZeroBitCount]
      blobs &= blobs - 1
      sources[kind].withBlob(field, row) { current.setBlob(field, id, $0) }
    }
    touch(id)
  }
}
