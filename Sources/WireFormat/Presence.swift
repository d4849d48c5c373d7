/// Which of a section's changed entities have a field: `docs/protocol.md` 7.1.
enum Presence: UInt64 {
  case nobody = 0
  case all = 1
  /// A bit for each changed entity.
  case map = 2
  /// How many have it, and their places in the list of changed entities.
  case few = 3

  static let bits: UInt64 = 2

  /// Bits of a place in a list of `count`, and of a number up to it.
  @inline(__always)
  static func placeBits(_ count: Int) -> UInt64 { UInt64(64 - count.leadingZeroBitCount) }

  /// The form for a field that `present` of `count` changed entities have.
  ///
  /// Values of a column that are as before take few bits, often only one, so that a field that most have is cheaper
  /// for all than with a map: `columns` says how many columns such a value has, 0 for a blob, which is never repeated.
  init(present: Int, of count: Int, columns: Int) {
    let few = Self.placeBits(count) * UInt64(present + 1)
    if present == 0 {
      self = .nobody
    } else if present == count || columns > 0 && 2 * columns * (count - present) <= count {
      self = .all
    } else {
      self = few < UInt64(count) ? .few : .map
    }
  }
}
