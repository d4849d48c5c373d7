import TickServer

/// Loads a configuration: a file, then sections that begin with the byte 0x1E, `E` and `NAME=VALUE` for a variable of
/// the environment, anything else `KEY=VALUE` for a flag.
///
/// A wrong one must end in messages of one line each that name a place; a right one must print as a file that reads as
/// the same.
func configurationFaults(_ bytes: [UInt8]) -> [String] {
  let sections = bytes.split(separator: 0x1E, omittingEmptySubsequences: false)
  // A file that is no UTF-8 is refused before it gets here.
  guard let file = sections.first.flatMap({ String(validating: $0, as: UTF8.self) }) else { return [] }
  var sources = ConfigurationSources()
  sources.file = ("t.yaml", file)
  for section in sections.dropFirst() {
    let isVariable = section.first == UInt8(ascii: "E")
    let text = String(decoding: isVariable ? section.dropFirst() : section, as: UTF8.self)
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let value = parts.count > 1 ? parts[1] : ""
    if isVariable { sources.environment[parts[0]] = value } else { sources.flags.append((parts[0], value, "--set")) }
  }
  do throws(ConfigurationError) {
    return printFaults(try sources.load())
  } catch {
    return refusalFaults(error)
  }
}

private func refusalFaults(_ error: ConfigurationError) -> [String] {
  var faults = error.faults.isEmpty ? ["it is refused without a reason"] : []
  for fault in error.faults {
    let message = fault.description
    let isOneLine = message.unicodeScalars.allSatisfy { scalar in
      switch scalar.value {
      case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029: false
      default: true
      }
    }
    if !isOneLine { faults.append("more than one line: \(message.debugDescription)") }
    let place = message.prefix { $0 != " " }
    let isFileLine = place.hasPrefix("t.yaml:") && place.hasSuffix(":") && Int(place.dropFirst(7).dropLast()) ?? 0 > 0
    if !isFileLine, place != "environment", place != "flag" { faults.append("it names no place: \(message)") }
  }
  return faults
}

private func printFaults(_ loaded: LoadedConfiguration) -> [String] {
  let first = loaded.yaml
  var sources = ConfigurationSources()
  sources.file = ("t.yaml", first)
  do throws(ConfigurationError) {
    let second = try sources.load().yaml
    return values(first) == values(second) ? [] : ["printed, then read and printed:\n\(first)\n\(second)"]
  } catch {
    return ["what is printed is refused: \(error)\n\(first)"]
  }
}

/// The lines of a printed configuration without the comments that tell the origins.
private func values(_ yaml: String) -> [String] {
  yaml.split(separator: "\n").map { line in
    var comment = line.endIndex
    for index in line.indices where line[index...].hasPrefix("  # ") { comment = index }
    return String(line[..<comment])
  }
}
