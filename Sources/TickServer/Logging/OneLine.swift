/// The text on one line: control characters and line separators as escapes, so that nobody writes a second line or
/// moves the cursor.
package func oneLine(_ text: String) -> String {
  guard text.unicodeScalars.contains(where: breaksLine) else { return text }
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\n": result += "\\n"
    case "\r": result += "\\r"
    case "\t": result += "\\t"
    case _ where breaksLine(scalar): result += "\\u{\(String(scalar.value, radix: 16))}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}

/// C0 and C1 controls, DEL, and the separators that some viewers take for a line end.
private func breaksLine(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0..<0x20, 0x7f..<0xa0, 0x2028, 0x2029: true
  default: false
  }
}
