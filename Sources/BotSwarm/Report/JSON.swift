/// A JSON value whose keys keep their order, so that two reports can be compared line by line.
package indirect enum JSON: Sendable, Equatable {
  case null
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case array([JSON])
  case object([(String, JSON)])

  package static func == (one: JSON, other: JSON) -> Bool { one.text == other.text }

  /// Indented by two spaces; arrays of objects have one object a line.
  package var text: String {
    var out = ""
    write(to: &out, indent: 0)
    return out
  }

  private func write(to out: inout String, indent: Int) {
    switch self {
    case .null: out += "null"
    case .bool(let value): out += value ? "true" : "false"
    case .integer(let value): out += String(value)
    // JSON has no word for infinity.
    case .number(let value): out += value.isFinite ? Self.trimmed(value) : "null"
    case .string(let value): Self.quote(value, to: &out)
    case .array(let values):
      guard !values.isEmpty else { return out += "[]" }
      Self.list(values, to: &out, indent: indent, "[", "]") { value, out in value.write(compactTo: &out) }
    case .object(let members):
      guard !members.isEmpty else { return out += "{}" }
      Self.list(members, to: &out, indent: indent, "{", "}") { member, out in
        Self.quote(member.0, to: &out)
        out += ": "
        member.1.write(to: &out, indent: indent + 1)
      }
    }
  }

  private func write(compactTo out: inout String) {
    guard case .object(let members) = self else { return write(to: &out, indent: 0) }
    out += "{"
    for (index, member) in members.enumerated() {
      if index > 0 { out += ", " }
      Self.quote(member.0, to: &out)
      out += ": "
      member.1.write(compactTo: &out)
    }
    out += "}"
  }

  private static func list<Item>(
    _ items: [Item], to out: inout String, indent: Int, _ open: String, _ close: String,
    _ write: (Item, inout String) -> Void
  ) {
    let margin = String(repeating: "  ", count: indent + 1)
    out += open
    for (index, item) in items.enumerated() {
      out += (index > 0 ? ",\n" : "\n") + margin
      write(item, &out)
    }
    out += "\n" + margin.dropLast(2) + close
  }

  /// Six places are a microsecond in a second, and a hundredth of a byte in any report.
  private static func trimmed(_ value: Double) -> String {
    var text = Format.decimal(value, places: 6)
    guard text != "-" else { return "null" }
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text
  }

  private static func quote(_ text: String, to out: inout String) {
    out += "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\t": out += "\\t"
      case _ where scalar.value < 32:
        let hex = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: out.unicodeScalars.append(scalar)
      }
    }
    out += "\""
  }
}

extension JSON {
  static func optional(_ value: Double?) -> JSON { value.map { .number($0) } ?? .null }
  static func optional(_ value: Int?) -> JSON { value.map { .integer($0) } ?? .null }
  static func optional(_ value: UInt64?) -> JSON { value.map { .integer(Int(clamping: $0)) } ?? .null }
  static func count(_ value: UInt64) -> JSON { .integer(Int(clamping: value)) }
}
