import WireFormat

/// Writes a configuration as YAML, each value with its origin as a comment. Reading it gives the same configuration.
struct ConfigurationPrinter {
  let loaded: LoadedConfiguration
  var showsTokens = true

  /// Every key with its value as YAML writes it; without origins, so that two configurations can be compared.
  var entries: [(path: [String], yaml: String)] {
    let all = settings(of: loaded.draft)
    var entries = all.filter { $0.path.first != "rooms" }.compactMap(entry)
    if case .tokens(let tokens) = loaded.configuration.authentication {
      entries.append((["auth", "tokens"], "[" + tokens.map(quoted).joined(separator: ", ") + "]"))
    }
    // `log` is the last section of the server's own settings; its keys must stay together.
    entries = entries.filter { $0.path[0] != "log" } + entries.filter { $0.path[0] == "log" }
    for room in loaded.draft.rooms {
      let own = all.filter { $0.path.starts(with: ["rooms", room.name]) }
      entries += own.filter { $0.path.count == 3 }.compactMap(entry)
      for entity in room.entities {
        let path = ["rooms", room.name, "entities", entity.name]
        entries += own.filter { $0.path.starts(with: path) }.compactMap(entry)
        entries += entity.fields.map { (path + ["fields", $0.name], FieldForm.text($0.type)) }
      }
      entries += own.filter { $0.path.count == 4 }.compactMap(entry)
    }
    return entries
  }

  private func entry(_ setting: Setting) -> (path: [String], yaml: String)? {
    setting.text(loaded.draft).map { (setting.path, scalar($0)) }
  }

  /// The whole file.
  func yaml() -> String {
    var text = "# The effective configuration of tickserver, each value with its origin.\n"
    var open: [String] = []
    for (path, yaml) in entries {
      let sections = Array(path.dropLast())
      let shared = zip(open, sections).prefix { $0 == $1 }.count
      for depth in shared..<max(sections.count, shared) {
        text += indent(depth) + scalar(sections[depth]) + ":\n"
        if depth == 1, isProgramRoom(sections) {
          text += indent(2) + "# entities: defined by the program\n"
        }
      }
      open = sections
      if path == ["auth", "tokens"], !showsTokens {
        text += "\(indent(sections.count))tokens: []  # \(tokenCount) not shown: --show-tokens prints them\n"
        continue
      }
      text += "\(indent(sections.count))\(scalar(path[path.count - 1])): \(yaml)  # \(oneLine("\(origin(of: path))"))\n"
    }
    return text
  }

  private var tokenCount: Int {
    if case .tokens(let tokens) = loaded.configuration.authentication { tokens.count } else { 0 }
  }

  private func indent(_ depth: Int) -> String { String(repeating: "  ", count: depth) }

  private func isProgramRoom(_ sections: [String]) -> Bool {
    loaded.draft.rooms.contains { $0.isProgram && $0.name == sections[1] }
  }

  /// A field's origin is that of its room; `auth` is decided as a whole.
  private func origin(of path: [String]) -> Origin {
    if path[0] == "auth" { return loaded.origin(of: "auth") }
    if path.count == 6 { return loaded.origin(of: "rooms.\(path[1])") }
    return loaded.origin(of: path.joined(separator: "."))
  }

  /// Plain where no YAML reader could take it for something else.
  private func scalar(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { byte in
      switch Character(Unicode.Scalar(byte)) {
      case "a"..."z", "A"..."Z", "0"..."9", ".", "_", "/", "-": true
      default: false
      }
    }
    let startsPlain = text.first.map { $0.isLetter || $0.isNumber || $0 == "/" } ?? false
    return isPlain && startsPlain && text.lowercased() != "null" ? text : quoted(text)
  }

  private func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case _ where oneLine(String(scalar)) != String(scalar) || scalar.value == 0xFEFF:
        let digits = String(scalar.value, radix: 16)
        result += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

extension LoadedConfiguration {
  /// The configuration as YAML with the origin of each value. Holds the tokens, if any, in clear.
  package var yaml: String { yaml(showsTokens: true) }

  /// The same; without the tokens it is not read as a configuration: a server that lets everyone in must not come of it.
  func yaml(showsTokens: Bool) -> String { ConfigurationPrinter(loaded: self, showsTokens: showsTokens).yaml() }
}
