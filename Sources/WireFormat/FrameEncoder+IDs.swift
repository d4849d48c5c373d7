/// Which entities of a kind changed.
extension FrameEncoder {
  /// The ids, a bitmap, or those that did not change: whichever is smallest.
  mutating func encodeIDs(_ count: Int, of presence: [UInt64], into out: inout OutputRawSpan) {
    let gapBytes = varintLength(UInt64(count << 2)) + gapLength(ids, count)
    let base = Int(ids[0]) / 8
    let length = Int(ids[count - 1]) / 8 - base + 1
    let bitmapBytes =
      varintLength(UInt64(count << 2)) + varintLength(UInt64(base)) + varintLength(UInt64(length)) + length
    if let rest = listUnchanged(count, of: presence) {
      let restBytes = varintLength(UInt64(rest << 2)) + gapLength(members, rest)
      if restBytes < min(gapBytes, bitmapBytes) {
        out.put(varint: rest << 2 | ChangedForm.allBut)
        return putGaps(members, rest, into: &out)
      }
    }
    if bitmapBytes < gapBytes {
      out.put(varint: count << 2 | ChangedForm.bitmap)
      putBitmap(count, base: base, length: length, into: &out)
    } else {
      out.put(varint: count << 2 | ChangedForm.gaps)
      putGaps(ids, count, into: &out)
    }
  }

  /// Fills `members` with the entities that are there and did not change; nil when they are more than the changed ones.
  private mutating func listUnchanged(_ count: Int, of presence: [UInt64]) -> Int? {
    let rest = presence.reduce(0) { $0 + $1.nonzeroBitCount } - count
    guard rest <= count else { return nil }
    var found = 0
    var index = 0
    for word in presence.indices {
      var bits = presence[word]
      while bits != 0 {
        let id = word * 64 + bits.trailingZeroBitCount
        if index < count, Int(ids[index]) == id {
          index += 1
        } else {
          members[found] = UInt16(truncatingIfNeeded: id)
          found += 1
        }
        bits &= bits - 1
      }
    }
    return found
  }

  private func gapLength(_ list: [UInt16], _ count: Int) -> Int {
    var bytes = 0
    var next = 0
    for index in 0..<count {
      bytes += varintLength(UInt64(Int(list[index]) - next))
      next = Int(list[index]) + 1
    }
    return bytes
  }

  private func putGaps(_ list: [UInt16], _ count: Int, into out: inout OutputRawSpan) {
    var next = 0
    for index in 0..<count {
      out.put(varint: Int(list[index]) - next)
      next = Int(list[index]) + 1
    }
  }

  private func putBitmap(_ count: Int, base: Int, length: Int, into out: inout OutputRawSpan) {
    out.put(varint: base)
    out.put(varint: length)
    var index = 0
    for byte in base..<(base + length) {
      var bits: UInt8 = 0
      while index < count, Int(ids[index]) / 8 == byte {
        bits |= 1 << UInt8(ids[index] & 7)
        index += 1
      }
      out.put(byte: bits)
    }
  }
}

/// How a section tells its changed entities (`docs/protocol.md` 7).
enum ChangedForm {
  static let gaps = 0
  static let bitmap = 1
  /// The ids of those that did not change.
  static let allBut = 2
}
