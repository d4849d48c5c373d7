import RoomEngine
import WireFormat
import Yams

/// Finds the rooms, entities and fields of a file: what there is, before the walk sets its values.
struct RoomDeclarations {
  let file: FileLayer
  /// Keys that are read here, or were refused here; the walk leaves them alone.
  private(set) var settled: Set<[String]> = []

  init(file: FileLayer) { self.file = file }

  /// Declares the rooms of a file in the draft. Rooms of the program stay; the default room gives way.
  mutating func read(_ root: Node.Mapping, _ layers: inout ConfigurationLayers) {
    guard let node = root["rooms"] else { return }
    guard let rooms = node.mapping, !rooms.isEmpty else {
      settled.insert(["rooms"])
      let problem = node.mapping != nil ? "empty" : shape(of: node)
      layers.report(
        file.origin(node),
        "rooms is \(problem). Write one section for each room kind below it, or leave it out for the default.")
      return
    }
    var drafts: [RoomDraft] = []
    var origins: [String: Origin] = [:]
    for (keyNode, value) in rooms {
      guard let (name, keys) = section(["rooms"], keyNode, value, &layers) else { continue }
      origins["rooms.\(name)"] = file.origin(keyNode)
      if layers.draft.rooms.contains(where: { $0.isProgram && $0.name == name }) {
        refuseEntities(of: name, keys, &layers)
      } else {
        drafts.append(RoomDraft(name: name, entities: entities(of: name, keys, keyNode, &layers)))
      }
    }
    layers.replaceRelayRooms(by: drafts, origins: origins)
  }

  private mutating func refuseEntities(of room: String, _ keys: Node.Mapping, _ layers: inout ConfigurationLayers) {
    guard let (key, _) = keys.first(where: { $0.key.string == "entities" }) else { return }
    settled.insert(["rooms", room, "entities"])
    layers.report(
      file.origin(key),
      "rooms.\(room).entities cannot be set: the program defines this room kind. Remove it; "
        + "tickRate, capacity and limits may stay.")
  }

  private mutating func entities(
    of room: String, _ keys: Node.Mapping, _ roomKey: Node, _ layers: inout ConfigurationLayers
  ) -> [EntityDraft] {
    let path = ["rooms", room, "entities"]
    let key = path.joined(separator: ".")
    guard let entities = keys["entities"]?.mapping, !entities.isEmpty else {
      settled.insert(path)
      layers.report(
        file.origin(keys["entities"] ?? roomKey),
        "\(key) is missing: the program defines no room kind \"\(room)\". Write at least one entity kind with its fields."
      )
      return []
    }
    var drafts: [EntityDraft] = []
    for (keyNode, value) in entities {
      guard let (name, keys) = section(path, keyNode, value, &layers) else { continue }
      settled.insert(path + [name, "fields"])
      var draft = EntityDraft(name: name)
      if let fields = keys["fields"]?.mapping, !fields.isEmpty {
        let before = layers.faults.count
        draft.fields = self.fields(at: path + [name, "fields"], fields, &layers)
        if layers.faults.count == before { checkKind(draft, keyNode, key, &layers) }
      } else {
        layers.report(
          file.origin(keys["fields"] ?? keyNode),
          "\(key).\(name).fields is missing. Write 1 to \(WireLimits.fields) fields.")
      }
      drafts.append(draft)
    }
    return drafts
  }

  private mutating func fields(
    at path: [String], _ section: Node.Mapping, _ layers: inout ConfigurationLayers
  ) -> [Field] {
    var fields: [Field] = []
    for (keyNode, value) in section {
      if let name = text(of: keyNode), name.first == FileLayer.duplicateMark {
        layers.report(
          file.origin(keyNode), "\(path.joined(separator: ".")).\(name.dropFirst()) is set twice. Keep one of them.")
        continue
      }
      guard let (name, keys) = self.section(path, keyNode, value, &layers) else { continue }
      let key = (path + [name]).joined(separator: ".")
      let parameters = keys.map { (key: text(of: $0.key) ?? "", text: text(of: $0.value) ?? shape(of: $0.value)) }
      switch FieldForm.read(parameters) {
      case .value(let type): fields.append(Field(name, type))
      case .problem(let problem): layers.report(file.origin(keyNode), "\(key): \(problem)")
      }
    }
    return fields
  }

  /// What only a whole kind shows: counts of fields and columns.
  private func checkKind(_ draft: EntityDraft, _ keyNode: Node, _ path: String, _ layers: inout ConfigurationLayers) {
    do throws(SchemaError) {
      _ = try Schema([EntityKind(draft.name, capacity: 1, fields: draft.fields)])
    } catch {
      layers.report(file.origin(keyNode), "\(path): \(error).")
    }
  }

  /// A name of the file's own choice and the keys below it, when both are allowed. Duplicates are left to the walk.
  private mutating func section(
    _ path: [String], _ keyNode: Node, _ value: Node, _ layers: inout ConfigurationLayers
  ) -> (name: String, keys: Node.Mapping)? {
    // The walk reports keys that are no text, and duplicates.
    guard let name = text(of: keyNode), name.first != FileLayer.duplicateMark else { return nil }
    let key = path.joined(separator: ".")
    let isPlain = name.utf8.allSatisfy { byte in
      switch Character(Unicode.Scalar(byte)) {
      case "a"..."z", "A"..."Z", "0"..."9", "-", "_": true
      default: false
      }
    }
    guard isPlain, WireLimits.nameBytes.contains(name.utf8.count) else {
      settled.insert(path + [name])
      layers.report(
        file.origin(keyNode),
        "\(key): \"\(name)\" is not a name. Allowed: 1 to 64 letters (a to z), digits, hyphens and underscores."
      )
      return nil
    }
    guard let mapping = value.mapping else {
      settled.insert(path + [name])
      layers.report(
        file.origin(keyNode), "\(key).\(name) is \(shape(of: value)), not a section. Write its keys below it.")
      return nil
    }
    return (name, mapping)
  }
}
