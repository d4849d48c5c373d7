import Logging

extension LogRecord {
  /// For machines: one object with `time`, `level`, `label`, `message`, and `error` and `metadata` where there are any.
  var json: String {
    var members = [("time", time), ("level", level), ("label", label), ("message", message)]
    if let error { members.append(("error", error)) }
    var object = members.map { "\(jsonString($0.0)):\(jsonString($0.1))" }
    if !metadata.isEmpty { object.append("\"metadata\":\(jsonObject(metadata))") }
    return "{" + object.joined(separator: ",") + "}"
  }

  private func jsonValue(_ value: Logger.MetadataValue) -> String {
    switch value {
    case .string(let string): jsonString(string)
    case .stringConvertible(let convertible): jsonString(convertible.description)
    case .array(let values): "[" + values.map(jsonValue).joined(separator: ",") + "]"
    case .dictionary(let values): jsonObject(values)
    }
  }

  private func jsonObject(_ values: Logger.Metadata) -> String {
    let members = values.sorted { $0.key < $1.key }.map { "\(jsonString($0.key)):\(jsonValue($0.value))" }
    return "{" + members.joined(separator: ",") + "}"
  }

  /// RFC 8259 demands escapes for C0 controls, quotes and backslashes; DEL, C1 controls and line separators are
  /// escaped as well, so that a record stays one line in every viewer.
  private func jsonString(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      default:
        switch scalar.value {
        case 0..<0x20, 0x7f..<0xa0, 0x2028, 0x2029:
          let digits = String(scalar.value, radix: 16)
          result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
      }
    }
    return result + "\""
  }
}
