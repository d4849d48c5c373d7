import WireFormat

/// The next input in the making: fields that were set for own entities, until they are written as one message.
final class InputScratch {
  /// An entity, the mask of its fields that were set, and the row of its kind's table that holds them.
  typealias Entry = (entity: EntityID, mask: UInt64, row: Int)

  private(set) var entries: [Entry] = []
  private(set) var tables: [EntityTable]
  private let layouts: [KindLayout]
  /// Rows in use, a kind.
  private var used: [Int]

  init(_ schema: Schema) {
    layouts = schema.layouts
    tables = schema.layouts.map { EntityTable($0, rows: 0) }
    used = Array(repeating: 0, count: tables.count)
  }

  func set<Value>(_ key: FieldKey<Value>, of entity: EntityID, to value: Value) {
    let position = entries.firstIndex { $0.entity == entity } ?? add(entity)
    entries[position].mask |= key.mask
    tables[Int(entity.kind.rawValue)].store(key, entries[position].row, value, in: layouts)
  }

  private func add(_ entity: EntityID) -> Int {
    let kind = Int(entity.kind.rawValue)
    let row = used[kind]
    used[kind] += 1
    tables[kind].makeRoom(for: row)
    if !tables[kind].contains(row) { tables[kind].insert(row, generation: 0, owner: 0) }
    entries.append((entity, 0, row))
    return entries.count - 1
  }

  /// Forgets what was set; keeps the memory.
  func clear() {
    entries.removeAll(keepingCapacity: true)
    for index in used.indices { used[index] = 0 }
  }
}
