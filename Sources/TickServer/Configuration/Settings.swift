import RoomEngine
import WireFormat

/// All settings of a draft, in the order of the file. Files, environment, flags, printing and checks all go through
/// this table.
func settings(of draft: ConfigurationDraft) -> [Setting] {
  serverSettings() + draft.rooms.indices.flatMap { roomSettings(of: draft.rooms[$0], at: $0) }
}

private func serverSettings() -> [Setting] {
  [
    listenSetting(),
    Setting("host", at: \.host, .address),
    Setting("port", at: \.port, .port),
    Setting("loops", at: \.loops, .loops),
    Setting("tickPhases", at: \.tickPhases, .integer(1...32)),
    Setting("readAtTicks", at: \.readAtTicks, .readAtTicks),
    Setting("maxConnections", at: \.maxConnections, .integer(1...1_000_000)),
    Setting("maxConnectionsPerAddress", at: \.maxConnectionsPerAddress, .connectionLimit),
    Setting("maxRooms", at: \.maxRooms, .integer(1...65536)),
    Setting("maxRoomsPerAddress", at: \.maxRoomsPerAddress, .roomLimit),
    Setting("handshakeDeadline", at: \.handshakeDeadline, .time(.milliseconds(100)...(.seconds(60)))),
    Setting("idleDeadline", at: \.idleDeadline, .time(.seconds(1)...(.seconds(3600)))),
    Setting("pingInterval", at: \.pingInterval, .time(.milliseconds(100)...(.seconds(600)))),
    Setting("memoryLimit", at: \.memoryLimit, .memoryLimit),
    Setting("laggardBudget", at: \.laggardBudget, .autoSize(.kib(256)...(.mib(1024 * 1024)))),
    Setting("inputBudget", at: \.inputBudget, .autoSize(.kib(256)...(.mib(1024 * 1024)))),
    Setting("sendBuffer", at: \.sendBuffer, .autoSize(.kib(4)...(.mib(4)))),
    Setting("receiveBuffer", at: \.receiveBuffer, .autoSize(.kib(4)...(.mib(4)))),
    // The least holds one event or join with the largest payload, 1 KiB, and its header.
    Setting(
      "maxClientMessage", at: \.maxClientMessage, .size(.kib(2)...ByteCount(WireLimits.clientMessageBytes))),
    Setting("bytesPerSecond", at: \.bytesPerSecond, .size(.kib(1)...(.mib(64)))),
    // The least holds what one read takes off the socket.
    Setting("byteBurst", at: \.byteBurst, .size(.kib(64)...(.mib(64)))),
    Setting("joinsPerSecond", at: \.joinsPerSecond, .integer(1...100_000)),
    Setting("joinBurst", at: \.joinBurst, .integer(1...100_000)),
    Setting("lameDuck", at: \.lameDuck, .lameDuck),
    Setting("drain", at: \.drain, .time(.milliseconds(100)...(.seconds(600)))),
    authenticationSetting(),
    tokensFileSetting(),
    Setting("admin", "host", at: \.admin.host, .address),
    Setting("admin", "port", at: \.admin.port, .adminPort),
    Setting("log", "level", at: \.logLevel, .logLevel),
    Setting("log", "format", at: \.logFormat, .logFormat),
  ]
}

/// A short way to write `host` and `port`.
private func listenSetting() -> Setting {
  let form = SettingForm<Endpoint>.endpoint
  return Setting(
    path: ["listen"], allowed: form.allowed, targets: ["host", "port"], text: { _ in nil },
    write: { text, draft in
      switch form.parse(text) {
      case .value(let endpoint):
        draft.server.host = endpoint.host
        draft.server.port = endpoint.port
        return nil
      case .problem(let problem): return problem
      }
    },
    problem: { _ in nil })
}

/// `auth: off`; as a section it holds `tokens` or `tokensFile` instead.
private func authenticationSetting() -> Setting {
  Setting(
    path: ["auth"], allowed: "off, or a section with tokens or tokensFile", targets: ["auth"],
    text: { $0.server.authentication == .off ? "off" : nil },
    write: { text, draft in
      guard text == "off" else { return "it is not a word that is known here" }
      draft.server.authentication = .off
      return nil
    },
    problem: { draft in
      if case .tokens(let tokens) = draft.server.authentication { tokensProblem(tokens) } else { nil }
    })
}

private func tokensFileSetting() -> Setting {
  Setting(
    path: ["auth", "tokensFile"], allowed: SettingForm<String>.path.allowed, targets: ["auth"],
    text: { if case .tokensFile(let path) = $0.server.authentication { path } else { nil } },
    write: { text, draft in
      guard !text.isEmpty else { return "it has no value" }
      draft.server.authentication = .tokensFile(text)
      return nil
    },
    problem: { _ in nil })
}

private func roomSettings(of room: RoomDraft, at index: Int) -> [Setting] {
  func setting<Value>(
    _ path: String..., at property: WritableKeyPath<RoomDraft, Value>, _ form: SettingForm<Value>
  ) -> Setting {
    Setting(
      ["rooms", room.name] + path, form, get: { $0.rooms[index][keyPath: property] },
      set: { $0.rooms[index][keyPath: property] = $1 })
  }
  let own = [
    setting("tickRate", at: \.tickRate, .integer(1...128)),
    setting("capacity", at: \.capacity, .integer(1...WireLimits.players)),
  ]
  let entities = room.entities.indices.flatMap { entity in
    let path = ["entities", room.entities[entity].name]
    return [
      Setting(
        ["rooms", room.name] + path + ["capacity"], .autoOr(.integer(1...WireLimits.entities)),
        get: { $0.rooms[index].entities[entity].capacity },
        set: { $0.rooms[index].entities[entity].capacity = $1 }),
      Setting(
        ["rooms", room.name] + path + ["atJoin"], .integer(0...1000),
        get: { $0.rooms[index].entities[entity].atJoin },
        set: { $0.rooms[index].entities[entity].atJoin = $1 }),
      Setting(
        ["rooms", room.name] + path + ["most"], .autoOr(.integer(1...WireLimits.entities)),
        get: { $0.rooms[index].entities[entity].most },
        set: { $0.rooms[index].entities[entity].most = $1 }),
    ]
  }
  func limit<Value>(_ name: String, _ property: WritableKeyPath<RoomLimits, Value>, _ form: SettingForm<Value>)
    -> Setting
  {
    Setting(
      ["rooms", room.name, "limits", name], form, get: { $0.rooms[index].limits[keyPath: property] },
      set: { $0.rooms[index].limits[keyPath: property] = $1 })
  }
  // The bounds are those of `RoomLimits`; a test holds the two together.
  let counts = [
    limit("frameLogFrames", \.frameLogFrames, .integer(2...1024)),
    limit("frameLogBytes", \.frameLogBytes, .size(.kib(4)...(.mib(64)))),
    limit("eventLogEvents", \.eventLogEvents, .integer(16...65536)),
    limit("eventLogBytes", \.eventLogBytes, .size(.kib(4)...(.kib(512)))),
    limit("eventBytesPerTick", \.eventBytesPerTick, .size(.kib(2)...(.kib(512)))),
    limit("payloadBytes", \.payloadBytes, .size(ByteCount(16)...ByteCount(WireLimits.payloadBytes))),
    limit("inboxBytes", \.inboxBytes, .size(.kib(1)...(.mib(1)))),
    limit("backlogBytes", \.backlogBytes, .size(.kib(4)...(.mib(4)))),
    limit("inputsPerTick", \.inputsPerTick, .inputsPerTick),
    limit("messagesPerSecond", \.messagesPerSecond, .integer(1...100_000)),
    limit("messageBurst", \.messageBurst, .integer(1...100_000)),
    limit("admissionsPerTick", \.admissionsPerTick, .integer(1...65536)),
  ]
  let times = [
    limit("stallDeadline", \.stallDeadline, .time(.milliseconds(100)...(.seconds(60)))),
    limit("lagDeadline", \.lagDeadline, .time(.milliseconds(100)...(.seconds(600)))),
    limit("grace", \.grace, .time(.milliseconds(100)...(.seconds(3600)))),
    limit("linger", \.linger, .time(.milliseconds(100)...(.seconds(86400)))),
    limit("heartbeat", \.heartbeat, .time(.milliseconds(100)...(.seconds(60)))),
  ]
  return own + entities + counts + times
}

extension SettingForm where Value == InputsPerTick {
  static var inputsPerTick: SettingForm {
    SettingForm<Int>.integer(1...1024).or(
      "auto", .auto, wrap: { .count($0) }, unwrap: { if case .count(let count) = $0 { count } else { nil } })
  }
}

extension SettingForm where Value == Int? {
  /// A number, or `auto` for one that follows from other settings.
  static func autoOr(_ form: SettingForm<Int>) -> SettingForm {
    form.or("auto", nil, wrap: { $0 }, unwrap: { $0 })
  }
}

/// What is wrong with a list of tokens, or nil. Never repeats a token: the message may end in a log.
func tokensProblem(_ tokens: [String]) -> String? {
  if tokens.isEmpty { return "it has no token" }
  for (index, token) in tokens.enumerated() where !(1...WireLimits.tokenBytes).contains(token.utf8.count) {
    return "token \(index + 1) has \(token.utf8.count) bytes"
  }
  return nil
}
