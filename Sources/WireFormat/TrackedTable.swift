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
    // In place: a table of another module is copied to be looked at.
    return withUnsafeBufferPointer { tables in
      guard kind < tables.count, let first = tables.baseAddress else { return false }
      return (first + kind).pointee.current.contains(Int(entity.id))
    }
  }

  /// The owner, or nil when the server owns it or it does not exist.
  package func owner(of entity: EntityID) -> PlayerID? {
    let (kind, id) = (Int(entity.kind.rawValue), Int(entity.id))
    return withUnsafeBufferPointer { tables in
      guard kind < tables.count, let first = tables.baseAddress else { return nil }
      return (first + kind).pointee.current.contains(id) ? (first + kind).pointee.current.owner(of: id) : nil
    }
  }
}

/// What every input asks for: `mutating`, so that tables are looked at where they are, without a reference to them.
extension [TrackedTable] {
  /// Whether the entity exists and belongs to this player.
  package mutating func isOwned(_ entity: EntityID, by player: PlayerID) -> Bool {
    let (kind, id) = (Int(entity.kind.rawValue), Int(entity.id))
    return kind < count && self[kind].isOwned(id, by: player)
  }

  /// Copies the fields of `mask` from a row of the same kind's table among others; an entity that is gone is left alone.
  package mutating func copy(_ mask: UInt64, from sources: inout [EntityTable], row: Int, to entity: EntityID) {
    let (kind, id) = (Int(entity.kind.rawValue), Int(entity.id))
    if kind < count, self[kind].contains(id) { self[kind].copy(mask, from: &sources, row: row, to: id) }
  }
}

extension TrackedTable {
  fileprivate mutating func contains(_ id: Int) -> Bool { current.contains(id) }

  fileprivate mutating func isOwned(_ id: Int, by player: PlayerID) -> Bool {
    current.contains(id) && current.owner(of: id) == player
  }

  /// Copies the fields of `mask` from a row of the same kind's table among others.
  ///
  /// - Parameter sources: only read; `inout`, so that they are read where they are.
  package mutating func copy(_ mask: UInt64, from sources: inout [EntityTable], row: Int, to id: Int) {
    let kind = Int(current.layout.index.rawValue)
    let (rows, sourceRows) = (current.rows, sources[kind].rows)
    var (rest, blobs) = (mask, UInt64(0))
    while rest != 0 {
      let index = rest.trailingZeroBitCount
      rest &= rest - 1
      let (first, count) = (current.layout.fields[index].firstColumn, current.layout.fields[index].columnCount)
      if count == 0 { blobs |= 1 << UInt64(index) }
      for column in first..<(first + count) {
        current.words[column * rows + id] = sources[kind].words[column * sourceRows + row]
      }
    }
    while blobs != 0 {
      let field = current.layout.fields[blobs.trailingZeroBitCount]
      blobs &= blobs - 1
      current.copyBlob(field, id, from: &sources[kind], row)
    }
    touch(id)
  }
}
