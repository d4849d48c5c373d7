/// Numbers as people read them. Foundation's formatters would be half of the program's size.
enum Format {
  /// `1234567` as `1,234,567`.
  static func grouped(_ value: some BinaryInteger) -> String {
    let digits = Array(String(value.magnitude))
    var text = value < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return text
  }

  /// Rounded half away from zero; what no number can say is a dash.
  static func decimal(_ value: Double?, places: Int) -> String {
    guard let value, value.isFinite, value.magnitude < 1e15 else { return "-" }
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    // Beyond what an integer holds, and beyond a double's 15 digits long before that.
    guard value.magnitude * scale < 9e18 else { return decimal(value, places: places - 1) }
    let scaled = Int((value.magnitude * scale).rounded())
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard places > 0 else { return sign + String(scaled) }
    let digits = String(scaled)
    let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
    return sign + padded.dropLast(places) + "." + padded.suffix(places)
  }

  static func duration(microseconds: UInt64?) -> String {
    guard let microseconds else { return "-" }
    let value = Double(microseconds)
    if microseconds < 1_000 { return "\(microseconds) us" }
    if microseconds < 10_000 { return decimal(value / 1_000, places: 2) + " ms" }
    if microseconds < 1_000_000 { return decimal(value / 1_000, places: 1) + " ms" }
    return decimal(value / 1_000_000, places: 2) + " s"
  }

  /// Binary units: what memory limits are set in.
  static func bytes(_ count: some BinaryInteger) -> String {
    let value = Double(count)
    if value < 1024 { return "\(count) B" }
    if value < 1024 * 1024 { return decimal(value / 1024, places: 1) + " KiB" }
    if value < 1024 * 1024 * 1024 { return decimal(value / 1_048_576, places: 1) + " MiB" }
    return decimal(value / 1_073_741_824, places: 2) + " GiB"
  }

  /// `7` as `0:07`.
  static func clock(seconds: Int) -> String {
    let rest = seconds % 60
    return "\(seconds / 60):\(rest < 10 ? "0" : "")\(rest)"
  }

  static func percent(_ share: Double?, places: Int = 0) -> String {
    share.map { decimal($0 * 100, places: places) + "%" } ?? "-"
  }
}

extension String {
  /// Padded with spaces to a column of this width; longer text stays whole.
  func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }

  func leftPadded(_ width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
