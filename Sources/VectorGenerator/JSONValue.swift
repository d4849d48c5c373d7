/// A JSON document: built from literals, written with sorted keys so that the same vectors always give the same bytes.
package enum JSONValue: Equatable, Sendable {
  case null
  case bool(Bool)
  case int(Int)
  case double(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  /// Integers above 2^53 are decimal strings, since many JSON readers hold numbers as doubles.
  package static func integer(_ value: UInt64) -> JSONValue {
    value > 1 << 53 ? .string(String(value)) : .int(Int(value))
  }

  /// Lower-case hexadecimal digits of bytes.
  package static func hex(_ bytes: some Sequence<UInt8>) -> JSONValue { .string(WireHex.text(bytes)) }

  package subscript(key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members[key]
  }
}

/// A vector file that is not of its documented form.
package struct VectorFault: Error, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}

// MARK: Access

extension JSONValue {
  package func member(_ key: String) throws(VectorFault) -> JSONValue {
    guard let value = self[key] else { throw VectorFault("no \"\(key)\" in \(inline)") }
    return value
  }

  package func uint(_ key: String) throws(VectorFault) -> UInt64 {
    switch try member(key) {
    case .int(let value) where value >= 0: return UInt64(value)
    case .string(let text):
      guard let value = UInt64(text) else { fallthrough }
      return value
    default: throw VectorFault("\"\(key)\" is no unsigned integer in \(inline)")
    }
  }

  package func text(_ key: String) throws(VectorFault) -> String {
    guard case .string(let text) = try member(key) else { throw VectorFault("\"\(key)\" is no text in \(inline)") }
    return text
  }

  package func list(_ key: String) throws(VectorFault) -> [JSONValue] {
    guard case .array(let items) = try member(key) else { throw VectorFault("\"\(key)\" is no list in \(inline)") }
    return items
  }

  package func bytes(_ key: String) throws(VectorFault) -> [UInt8] {
    guard let bytes = WireHex.bytes(try text(key)) else { throw VectorFault("\"\(key)\" is no hex in \(inline)") }
    return bytes
  }
}

// MARK: Writing

extension JSONValue {
  /// Indented by two spaces, keys sorted; what fits 100 characters stands on one line.
  package var document: String { rendered(indent: "") + "\n" }

  private func rendered(indent: String) -> String {
    let line = inline
    if line.count + indent.count <= 100 { return line }
    let deeper = indent + "  "
    switch self {
    case .array(let items):
      return "[\n" + items.map { deeper + $0.rendered(indent: deeper) }.joined(separator: ",\n") + "\n\(indent)]"
    case .object(let members):
      let lines = members.sorted { $0.key < $1.key }
        .map { "\(deeper)\(Self.quoted($0.key)): \($0.value.rendered(indent: deeper))" }
      return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
    default: return line
    }
  }

  fileprivate var inline: String {
    switch self {
    case .null: "null"
    case .bool(let value): String(value)
    case .int(let value): String(value)
    case .double(let value): String(value)
    case .string(let text): Self.quoted(text)
    case .array(let items): "[" + items.map(\.inline).joined(separator: ", ") + "]"
    case .object(let members):
      "{"
        + members.sorted { $0.key < $1.key }.map { "\(Self.quoted($0.key)): \($0.value.inline)" }
        .joined(separator: ", ") + "}"
    }
  }

  private static func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F:
        out += "\\u00" + WireHex.text([UInt8(scalar.value)])
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}

// MARK: Literals

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral {
  package init(stringLiteral value: String) { self = .string(value) }
  package init(integerLiteral value: Int) { self = .int(value) }
  package init(floatLiteral value: Double) { self = .double(value) }
}

extension JSONValue: ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  package init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(Dictionary(uniqueKeysWithValues: elements))
  }
}

/// Bytes as hexadecimal text.
package enum WireHex {
  package static func text(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// 16 digits.
  package static func text(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  package static func bytes(_ text: String) -> [UInt8]? {
    let digits = text.filter { !$0.isWhitespace }.map(\.hexDigitValue)
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = digits[index], let low = digits[index + 1] else { return nil }
      bytes.append(UInt8(high * 16 + low))
    }
    return bytes
  }
}
