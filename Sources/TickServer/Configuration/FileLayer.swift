import Spelling
import Yams

/// Reads the layer of a configuration file: every key strictly, with its line in each message.
struct FileLayer {
  /// The file's name, as messages and origins show it.
  let name: String

  /// Puts the values of a file's text on the layers, and reports all that is wrong.
  func apply(_ text: String, to layers: inout ConfigurationLayers) {
    let root: Node?
    do throws(ConfigurationFault) {
      root = try compose(text)
    } catch {
      layers.report(error.origin, error.message)
      return
    }
    // An empty file sets nothing.
    guard let root, !isNull(root) else { return }
    guard let mapping = root.mapping else {
      layers.report(origin(root), "the file is not a list of keys and values. Write \"key: value\" lines.")
      return
    }
    var declarations = RoomDeclarations(file: self)
    declarations.read(mapping, &layers)
    Visit(file: self, settings: settings(of: layers.draft), skipped: declarations.settled)
      .section(mapping, at: [], &layers)
  }

  func origin(_ node: Node) -> Origin { .file(name: name, line: node.mark?.line ?? 1) }

  /// Stands before the first of two equal keys; from Unicode's private use area, so no real key begins with it.
  static let duplicateMark: Character = "\u{E000}"

  /// Parses YAML. Yams refuses a mapping with equal keys as a whole; so that the rest is checked as well,
  /// the first of them is renamed with ``duplicateMark`` and reported later, where its place is known.
  private func compose(_ text: String) throws(ConfigurationFault) -> Node? {
    var text = text
    var renamed = 0
    var duplicate: ConfigurationFault?
    while true {
      do {
        return try Yams.compose(yaml: text)
      } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
        let key = keys.first { $0.first != Self.duplicateMark } ?? "a key"
        let fault = ConfigurationFault(
          origin: .file(name: name, line: context.mark.line),
          message: "\(key) is set twice in one section. Keep one of them.")
        renamed += 1
        guard renamed <= Self.mostDuplicates, let other = Self.insertMark(into: text, at: context.mark) else {
          throw fault
        }
        duplicate = fault
        text = other
      } catch let error as YamlError {
        // Keys written with anchors or aliases cannot be renamed; the text that was given is told, not the renamed one.
        throw duplicate ?? yamlFault(error)
      } catch {
        throw ConfigurationFault(origin: .file(name: name, line: 1), message: "not valid YAML: \(error).")
      }
    }
  }

  /// How many duplicates are told one by one; each costs another parse.
  private static let mostDuplicates = 100

  private static func insertMark(into text: String, at mark: Mark) -> String? {
    let scalars = text.unicodeScalars
    var start = scalars.startIndex
    for _ in 1..<max(mark.line, 1) {
      guard let end = scalars[start...].firstIndex(of: "\n") else { return nil }
      start = scalars.index(after: end)
    }
    guard let place = scalars.index(start, offsetBy: mark.column - 1, limitedBy: scalars.endIndex) else { return nil }
    return String(scalars[..<place]) + String(duplicateMark) + String(scalars[place...])
  }

  private func yamlFault(_ error: YamlError) -> ConfigurationFault {
    let (problem, mark): (String, Mark?) =
      switch error {
      case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
        .composer(_, let problem, let mark, _):
        (problem, mark)
      case .reader(let problem, _, _, _): (problem, nil)
      default: ("\(error)", nil)
      }
    return ConfigurationFault(
      origin: .file(name: name, line: mark?.line ?? 1), message: "not valid YAML: \(problem).")
  }
}

/// What a node is, in messages.
func shape(of node: Node) -> String {
  switch node {
  case _ where isNull(node): "empty"
  case .mapping: "a section"
  case .sequence: "a list"
  default: "a single value"
  }
}

func isNull(_ node: Node) -> Bool {
  guard case .scalar(let scalar) = node, scalar.style == .plain else { return false }
  return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
}

/// The text of a scalar; a plain null counts as no text at all.
func text(of node: Node) -> String? {
  guard case .scalar(let scalar) = node else { return nil }
  return isNull(node) ? "" : scalar.string
}

/// The walk through a file's keys.
private struct Visit {
  let file: FileLayer
  let settings: [Setting]
  /// Keys that the declarations of rooms have settled, one way or the other.
  let skipped: Set<[String]>

  func section(_ mapping: Node.Mapping, at path: [String], _ layers: inout ConfigurationLayers) {
    for (keyNode, value) in mapping {
      guard let key = text(of: keyNode) else {
        layers.report(file.origin(keyNode), "a key is \(shape(of: keyNode)). Write a name.")
        continue
      }
      if key.first == FileLayer.duplicateMark {
        reportDuplicate(key, keyNode, in: mapping, at: path, &layers)
      } else {
        entry(path + [key], keyNode, value, &layers)
      }
    }
  }

  private func entry(_ path: [String], _ keyNode: Node, _ value: Node, _ layers: inout ConfigurationLayers) {
    let key = path.joined(separator: ".")
    if skipped.contains(path) { return }
    // Below rooms every name is known by now, even when none was valid.
    if path == ["rooms"], let mapping = value.mapping { return section(mapping, at: path, &layers) }
    if path == ["auth", "tokens"] {
      tokens(value, keyNode, &layers)
    } else if let setting = settings.first(where: { $0.path == path }), let text = text(of: value) {
      layers.apply(setting, text: text, origin: file.origin(keyNode))
    } else if children(of: path).isEmpty {
      if let setting = settings.first(where: { $0.path == path }) {
        layers.report(
          file.origin(keyNode), "\(key) is \(shape(of: value)), not a single value. Allowed: \(setting.allowed).")
      } else {
        reportUnknown(path, keyNode, &layers)
      }
    } else if let mapping = value.mapping {
      section(mapping, at: path, &layers)
    } else {
      layers.report(
        file.origin(keyNode),
        "\(key) is \(shape(of: value)), not a section. Write its keys below it: \(children(of: path).joined(separator: ", "))."
      )
    }
  }

  /// Names of the keys right below a section; empty for what is no section.
  private func children(of path: [String]) -> [String] {
    var names: [String] = []
    for setting in settings where setting.path.count > path.count && setting.path.starts(with: path) {
      let name = setting.path[path.count]
      if !names.contains(name) { names.append(name) }
    }
    if path == ["auth"] { names.append("tokens") }
    if path.count == 4, path[0] == "rooms", path[2] == "entities" { names.append("fields") }
    return names
  }

  private func reportUnknown(_ path: [String], _ keyNode: Node, _ layers: inout ConfigurationLayers) {
    let known = children(of: path.dropLast())
    let last = path.last ?? ""
    let advice =
      nearest(to: last, in: known).map { "Did you mean \"\($0)\"?" }
      ?? "Known here: \(known.joined(separator: ", "))."
    layers.report(
      file.origin(keyNode), "\"\(path.joined(separator: "."))\" is not a setting. \(advice)")
  }

  private func reportDuplicate(
    _ marked: String, _ keyNode: Node, in mapping: Node.Mapping, at path: [String], _ layers: inout ConfigurationLayers
  ) {
    // A quoted key keeps its quotes behind the mark.
    let bare = marked.drop { $0 == FileLayer.duplicateMark }.filter { $0 != "\"" && $0 != "'" }
    let key = (path + [String(bare)]).joined(separator: ".")
    let lines = mapping.filter { text(of: $0.key) == String(bare) }.compactMap { $0.key.mark?.line }
    let others = lines.map { "\($0)" }.joined(separator: ", ")
    layers.report(
      file.origin(keyNode), "\(key) is set twice: here and in line \(others). Keep one of them.")
  }

  private func tokens(_ value: Node, _ keyNode: Node, _ layers: inout ConfigurationLayers) {
    let tokens = value.sequence?.map { text(of: $0) }
    guard let tokens, !tokens.contains(nil) else {
      layers.report(
        file.origin(keyNode), "auth.tokens is \(shape(of: value)). Allowed: a list of tokens, such as [\"a\", \"b\"].")
      return
    }
    layers.apply(tokens: tokens.compactMap { $0 }, origin: file.origin(keyNode))
  }
}
