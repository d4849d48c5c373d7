/// Which entities of a section changed.
extension StateMirror {
  /// Appends them to `ids`, ascending; all of them exist.
  func readChangedIDs(
    _ body: Span<UInt8>, _ at: inout Int, _ kind: Int, into ids: inout [EntityID]
  ) throws(WireError) {
    let first = ids.count
    let start = at
    let head = try body.varint(&at, "changed")
    let count = head >> 2
    guard count <= UInt64(tables[kind].layout.capacity), count >= 1 || head & 3 == UInt64(ChangedForm.allBut) else {
      throw WireError(.outOfRange, at: start, "changed")
    }
    switch Int(head & 3) {
    case ChangedForm.gaps:
      guard count <= UInt64(body.count - at) else { throw WireError(.truncated, at: body.count, "changed") }
      var next: UInt64 = 0
      for _ in 0..<count {
        let id = try readGap(body, &at, from: next, kind)
        ids.append(EntityID(kind: KindIndex(UInt8(kind)), id: UInt16(id)))
        next = UInt64(id) + 1
      }
    case ChangedForm.bitmap: try readBitmap(body, &at, kind, count: Int(count), into: &ids)
    case ChangedForm.allBut: return try readAllBut(body, &at, kind, count: Int(count), into: &ids)
    default: throw WireError(.outOfRange, at: start, "changed")
    }
    for entity in ids[first...] where !tables[kind].contains(Int(entity.id)) {
      throw WireError(.inconsistent, at: at, "changed")
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

  /// All that exist but `count`: no more are listed than exist, each of which was paid for when it was created.
  private func readAllBut(
    _ body: Span<UInt8>, _ at: inout Int, _ kind: Int, count: Int, into ids: inout [EntityID]
  ) throws(WireError) {
    let start = at
    guard count < tables[kind].count else { throw WireError(.inconsistent, at: start, "changed") }
    var next = 0
    func take(upTo end: Int) {
      var id = next
      while id < end {
        // A word of the bitmap at a time where none is there.
        let word = tables[kind].presence[id >> 6] >> UInt64(id & 63)
        if word == 0 {
          id = (id >> 6 + 1) << 6
        } else {
          id += word.trailingZeroBitCount
          if id < end { ids.append(EntityID(kind: KindIndex(UInt8(kind)), id: UInt16(id))) }
          id += 1
        }
      }
    }
    for _ in 0..<count {
      let left = try readGap(body, &at, from: UInt64(next), kind)
      guard tables[kind].contains(left) else { throw WireError(.inconsistent, at: start, "changed") }
      take(upTo: left)
      next = left + 1
    }
    take(upTo: tables[kind].rows)
  }
}
