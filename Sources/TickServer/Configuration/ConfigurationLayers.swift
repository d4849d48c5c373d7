import RoomEngine
import WireFormat

/// Puts the layers of a configuration on each other, in the order of the calls, and collects all that is wrong.
struct ConfigurationLayers {
  private(set) var draft: ConfigurationDraft
  /// Where each value comes from, by key; absent is the base.
  private(set) var origins: [String: Origin] = [:]
  private(set) var faults: [ConfigurationFault] = []
  /// Keys that the present layer has decided, and by what.
  private var decided: [String: String] = [:]

  init(base: ConfigurationDraft) {
    draft = base
    let defaults = settings(of: ConfigurationDraft())
    let texts = Dictionary(
      defaults.map { ($0.key, $0.text(ConfigurationDraft())) }, uniquingKeysWith: { one, _ in one })
    for setting in settings(of: base) {
      let isRoom = setting.path.first == "rooms"
      let isProgram = isRoom ? base.rooms.contains { $0.isProgram && $0.name == setting.path[1] } : false
      if isProgram || !isRoom && texts[setting.key] != setting.text(base) {
        for target in setting.targets { origins[target] = .program }
      }
    }
  }

  mutating func beginLayer() { decided = [:] }

  mutating func report(_ origin: Origin, _ message: String) {
    faults.append(ConfigurationFault(origin: origin, message: message))
  }

  /// Sets one value of the present layer.
  mutating func apply(_ setting: Setting, text: String, origin: Origin) {
    guard decide(setting.targets, by: setting.key, origin: origin) else { return }
    if let problem = setting.write(text, &draft) {
      report(origin, Self.message(setting.key, text, problem, setting.allowed))
    }
  }

  /// Sets the tokens, which are a list and not one value.
  mutating func apply(tokens: [String], origin: Origin) {
    guard decide(["auth"], by: "auth.tokens", origin: origin) else { return }
    if let problem = tokensProblem(tokens) {
      report(origin, "auth.tokens: \(problem). Allowed: a list of tokens of 1 to \(WireLimits.tokenBytes) bytes.")
    } else {
      draft.server.authentication = .tokens(tokens)
    }
  }

  /// Replaces the rooms that a program did not write.
  mutating func replaceRelayRooms(by rooms: [RoomDraft], origins: [String: Origin]) {
    draft.rooms = draft.rooms.filter(\.isProgram) + rooms
    self.origins.merge(origins) { $1 }
  }

  private mutating func decide(_ targets: [String], by key: String, origin: Origin) -> Bool {
    for target in targets {
      if let other = decided[target] {
        let what = other == key ? "\(key) is set twice" : "\(key) and \(other) exclude each other"
        report(origin, "\(what). Keep one of them.")
        return false
      }
    }
    for target in targets {
      decided[target] = key
      origins[target] = origin
    }
    return true
  }

  static func message(_ key: String, _ value: String, _ problem: String, _ allowed: String) -> String {
    "\(key) is \"\(value)\": \(problem). Allowed: \(allowed)."
  }

  /// Checks what no single value shows, and builds the configuration.
  ///
  /// - Throws: ``ConfigurationError`` with every fault of every layer.
  func finish() throws(ConfigurationError) -> LoadedConfiguration {
    var layers = self
    layers.checkProgramValues()
    layers.checkRelations()
    if layers.faults.isEmpty { layers.buildRooms() }
    guard layers.faults.isEmpty else {
      // Faults of the file first, by line; the others stay as found.
      throw ConfigurationError(
        layers.faults.enumerated().sorted { ($0.element.line, $0.offset) < ($1.element.line, $1.offset) }.map(\.element)
      )
    }
    return LoadedConfiguration(configuration: layers.draft.server, draft: layers.draft, origins: layers.origins)
  }

  func origin(of key: String) -> Origin { origins[key] ?? .builtIn }
}

extension ConfigurationLayers {
  /// Values from texts were checked when read; those that a program set were not.
  private mutating func checkProgramValues() {
    for setting in settings(of: draft) where origin(of: setting.targets[0]) == .program {
      guard let problem = setting.problem(draft) else { continue }
      if let text = setting.text(draft) {
        report(.program, Self.message(setting.key, text, problem, setting.allowed))
      } else {
        report(.program, "\(setting.key): \(problem). Allowed: \(setting.allowed).")
      }
    }
  }

  private mutating func checkRelations() {
    let server = draft.server
    if server.pingInterval >= server.idleDeadline {
      report(
        origins["pingInterval"] ?? origin(of: "idleDeadline"),
        "pingInterval is \(durationText(server.pingInterval)) and idleDeadline is \(durationText(server.idleDeadline)): "
          + "quiet connections would be closed before they are asked. Make pingInterval shorter.")
    }
    if case .number(let admin) = server.admin.port, server.port == .number(admin) {
      report(
        origin(of: "admin.port") == .builtIn ? origin(of: "port") : origin(of: "admin.port"),
        "port and admin.port are both \"\(admin)\". Give each its own number, or set admin.port to any or off.")
    }
    if draft.rooms.isEmpty, faults.isEmpty { report(.program, "there is no room kind. Pass at least one.") }
    var names = Set<String>()
    for room in draft.rooms where !names.insert(room.name).inserted {
      report(.program, "the room kind \"\(room.name)\" stands twice. Give each its own name.")
    }
    for room in draft.rooms { checkEntities(of: room) }
  }

  private mutating func checkEntities(of room: RoomDraft) {
    for entity in room.entities {
      let key = "rooms.\(room.name).entities.\(entity.name)"
      if entity.most == nil, entity.atJoin == 0 {
        report(
          origin(of: key + ".atJoin"),
          "\(key).atJoin is \"0\" and most is \"auto\": no player could have one. Set most to at least 1.")
        continue
      }
      if entity.mostOrAtJoin < entity.atJoin {
        report(
          origin(of: key + ".most"),
          "\(key).most is \"\(entity.mostOrAtJoin)\": players get \(entity.atJoin) when they join. "
            + "Set most to at least \(entity.atJoin), or atJoin lower.")
        continue
      }
      let needed = room.capacity.multipliedReportingOverflow(by: entity.atJoin)
      if needed.overflow || needed.partialValue > entity.capacity(of: room) {
        report(
          origins[key + ".capacity"] ?? origin(of: "rooms.\(room.name).capacity"),
          "\(key).capacity is \"\(entity.capacity(of: room))\": \(room.capacity) players with \(entity.atJoin) at join "
            + "need more. Set it higher (at most \(WireLimits.entities)) or rooms.\(room.name).capacity lower.")
      }
    }
  }

  private mutating func buildRooms() {
    draft.server.roomKinds = []
    for room in draft.rooms {
      let key = "rooms.\(room.name)"
      let origin = origins[key] ?? (room.isProgram ? .program : .builtIn)
      do throws(SchemaError) {
        let kind = try room.roomKind()
        if let fault = kind.fault { report(origin, "\(key): \(fault).") }
        draft.server.roomKinds.append(kind)
      } catch {
        report(origin, "\(key): \(error).")
      }
    }
  }
}
