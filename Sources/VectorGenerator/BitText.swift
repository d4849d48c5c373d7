/// Bits of a section written out by hand, in the order of the stream: "10" is the number 1 in two bits.
enum BitText {
  /// Presence of a field that all changed entities have, and of one that nobody has.
  static let all = "10"
  static let nobody = "00"

  /// A number, its lowest bit first.
  static func number(_ value: UInt64, _ width: Int) -> String {
    String((0..<width).map { value >> UInt64($0) & 1 == 1 ? "1" : "0" })
  }

  /// A column of one value with parameter 30, against the last value.
  static func column(_ value: UInt32, keepsSteps: Bool = false) -> String {
    let quotient = Int(value >> 30)
    // Three zeros stand for 3 or 4, told apart by one more bit.
    let rest = number(UInt64(value) & 0x3FFF_FFFF, 30) + (quotient == 3 ? "0" : "")
    return (keepsSteps ? "0" : "") + number(30, 5) + String(repeating: "0", count: quotient) + "1" + rest
  }

  /// As hex, filled with zeros to whole bytes.
  static func hex(_ bits: String) -> String {
    var bytes: [UInt8] = []
    for (position, bit) in bits.filter({ $0 != " " }).enumerated() {
      if position % 8 == 0 { bytes.append(0) }
      if bit == "1" { bytes[position / 8] |= 1 << UInt8(position % 8) }
    }
    return WireHex.text(bytes)
  }
}
