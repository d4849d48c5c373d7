/// Numbers with a unit, as they are typed in options.
package enum Quantity {
  /// `50ms`, `1.5s`, `800us` in microseconds. The unit must be given: a bare number could mean any of them.
  package static func microseconds(_ text: String) throws(QuantityError) -> UInt64 {
    let units: [(suffix: String, scale: Double)] = [("us", 1), ("ms", 1_000), ("s", 1_000_000), ("m", 60_000_000)]
    return try parse(text, units, "a duration such as 800us, 50ms, 1.5s or 2m")
  }

  /// `60MiB`, `1GiB`, `512KiB`, `100B` in bytes.
  package static func bytes(_ text: String) throws(QuantityError) -> UInt64 {
    let units: [(suffix: String, scale: Double)] = [
      ("KiB", 1024), ("MiB", 1_048_576), ("GiB", 1_073_741_824), ("B", 1),
    ]
    return try parse(text, units, "a size such as 512KiB, 60MiB or 1GiB")
  }

  /// `2%`, `0.5%` as a share of 1.
  package static func share(_ text: String) throws(QuantityError) -> Double {
    Double(try parse(text, [("%", 1_000_000)], "a share such as 2% or 0.5%")) / 100_000_000
  }

  private static func parse(
    _ text: String, _ units: [(suffix: String, scale: Double)], _ allowed: String
  ) throws(QuantityError) -> UInt64 {
    let digits = text.prefix { $0.isNumber || $0 == "." }
    let suffix = text.dropFirst(digits.count).drop { $0 == " " }
    // 1e15 microseconds are thirty years, 1e15 bytes a petabyte: what is larger is a slip of the keyboard.
    guard let value = Double(digits), let unit = units.first(where: { $0.suffix == suffix }), value * unit.scale < 1e15
    else { throw QuantityError(description: "\"\(text)\" is not \(allowed)") }
    return UInt64((value * unit.scale).rounded())
  }
}

/// What was typed and what is allowed.
package struct QuantityError: Error, Equatable, CustomStringConvertible {
  package let description: String
}
