/// The state hash of `docs/protocol.md` section 5.3: a sum of one term a non-zero column, kept incrementally.
enum StateHash {
  /// SplitMix64's finaliser (Steele, Lea and Flood 2014).
  @inline(__always)
  static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z &>> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z &>> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z &>> 31)
  }

  @inline(__always)
  static func key(kind: KindIndex, column: Int, id: Int) -> UInt64 {
    UInt64(kind.rawValue) &<< 56 | UInt64(truncatingIfNeeded: column) &<< 48 | UInt64(truncatingIfNeeded: id) &<< 32
  }

  /// The term of a column: 0 for the zero state, so that an entity's birth needs no sweep over its columns.
  @inline(__always)
  static func term(_ key: UInt64, _ word: Int32) -> UInt64 {
    word == 0 ? 0 : mix(key | UInt64(UInt32(bitPattern: word)))
  }

  static func term(kind: KindIndex, id: Int, generation: UInt8, owner: UInt32) -> UInt64 {
    mix(key(kind: kind, column: 0xFF, id: id) | UInt64(generation) << 24 | UInt64(owner))
  }
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo; draft-eastlake-fnv).
package func fnv1a64(_ bytes: Span<UInt8>) -> UInt64 {
  var hash: UInt64 = 0xcbf2_9ce4_8422_2325
  for index in 0..<bytes.count {
    hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01b3
  }
  return hash
}
