import WireFormat

extension FrameContent {
  /// Rewrites what a keyframe said (everything is new) as what it changed in comparison with `old`, so that a skip
  /// looks to a game like a frame that came late.
  mutating func compare(_ new: [EntityTable], with old: [EntityTable]) {
    removed.removeAll(keepingCapacity: true)
    created.removeAll(keepingCapacity: true)
    changed.removeAll(keepingCapacity: true)
    masks.removeAll(keepingCapacity: true)
    for index in new.indices { compare(new[index], with: old[index]) }
  }

  private mutating func compare(_ new: EntityTable, with old: EntityTable) {
    let kind = new.layout.index
    old.forEach { id in
      if !new.contains(id) || new.generations[id] != old.generations[id] || new.owners[id] != old.owners[id] {
        removed.append(EntityID(kind: kind, id: UInt16(truncatingIfNeeded: id)))
      }
    }
    new.forEach { id in
      let entity = EntityID(kind: kind, id: UInt16(truncatingIfNeeded: id))
      let isOld =
        old.contains(id) && new.generations[id] == old.generations[id] && new.owners[id] == old.owners[id]
      if !isOld { created.append(entity) }
      let mask = isOld ? new.difference(from: old, id) : new.nonZeroFields(id)
      if mask != 0 {
        changed.append(entity)
        masks.append(mask)
      }
    }
  }
}

extension EntityTable {
  /// The mask of the fields of entity `id` that differ from those in another table of the kind.
  func difference(from old: EntityTable, _ id: Int) -> UInt64 {
    var mask: UInt64 = 0
    for (index, field) in layout.fields.enumerated() {
      let isSame =
        field.columnCount == 0
        ? blobEquals(field, id, in: old)
        : (0..<field.columnCount).allSatisfy { column in
          word(field.firstColumn + column, id) == old.word(field.firstColumn + column, id)
        }
      if !isSame { mask |= 1 << UInt64(index) }
    }
    return mask
  }
}
