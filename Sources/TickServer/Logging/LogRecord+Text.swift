import Logging

extension LogRecord {
  /// For people: `2026-11-21T10:12:00.123Z info     tickserver: listening host=0.0.0.0 port=7777`.
  var text: String {
    // The longest level, `critical`, has 8 letters.
    let padded = level + String(repeating: " ", count: max(0, 8 - level.utf8.count))
    var line = "\(time) \(padded) \(oneLine(label)): \(oneLine(message))"
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { line += " \(quotedText(key))=\(valueText(value))" }
    if let error { line += " error=\(quotedText(error))" }
    return line
  }

  /// `[a,b]` and `{key=value}` nest; what could be taken for a part of the line is quoted.
  private func valueText(_ value: Logger.MetadataValue) -> String {
    switch value {
    case .string(let string): quotedText(string)
    case .stringConvertible(let convertible): quotedText(convertible.description)
    case .array(let values): "[" + values.map(valueText).joined(separator: ",") + "]"
    case .dictionary(let values):
      "{"
        + values.sorted { $0.key < $1.key }.map { "\(quotedText($0.key))=\(valueText($0.value))" }
        .joined(separator: ",") + "}"
    }
  }

  private func quotedText(_ text: String) -> String {
    guard text.isEmpty || text.utf8.contains(where: isSpecial) || oneLine(text) != text else { return text }
    // Backslashes first, so that those of the control characters stay single.
    let quoted = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    return "\"\(oneLine(quoted))\""
  }

  private func isSpecial(_ byte: UInt8) -> Bool {
    switch Character(Unicode.Scalar(byte)) {
    case " ", "=", "\"", "\\", "[", "]", "{", "}", ",": true
    default: false
    }
  }
}
