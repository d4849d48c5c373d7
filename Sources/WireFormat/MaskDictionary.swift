/// The change masks of a section: few differ in practice, so each is sent once and entities refer to it by index.
enum MaskDictionary {
  /// Beyond this an index is no shorter than most masks.
  static let most = 16

  /// Fills the dictionary and each entity's index into it.
  ///
  /// - Returns: its size, or 0 when more than ``most`` masks differ.
  static func fill(
    _ dictionary: inout [UInt64], _ indices: inout [UInt8], _ masks: [UInt64], _ count: Int
  ) -> Int {
    var size = 0
    for index in 0..<count {
      let mask = masks[index]
      var found = 0
      while found < size, dictionary[found] != mask { found += 1 }
      if found == size {
        guard size < most else { return 0 }
        dictionary[size] = mask
        size += 1
      }
      indices[index] = UInt8(truncatingIfNeeded: found)
    }
    return size
  }

  /// Bits of one index.
  static func width(size: Int) -> Int {
    switch size {
    case ...1: 0
    case 2: 1
    case ...4: 2
    default: 4
    }
  }

  /// Packs the indices, least significant bit first.
  static func pack(_ indices: [UInt8], _ count: Int, size: Int, into out: inout OutputRawSpan) {
    let width = width(size: size)
    guard width > 0 else { return }
    var byte: UInt8 = 0
    var used = 0
    for index in 0..<count {
      byte |= indices[index] << UInt8(used)
      used += width
      if used == 8 {
        out.put(byte: byte)
        (byte, used) = (0, 0)
      }
    }
    if used > 0 { out.put(byte: byte) }
  }
}
