import RoomEngine
import WireFormat

@testable import TickServer

/// Loads a configuration from texts; the file is called `t.yaml` in messages.
func load(
  _ yaml: String? = nil, environment: [String: String] = [:],
  flags: [(key: String, value: String, flag: String)] = [], program: ServerConfiguration? = nil
) throws(ConfigurationError) -> LoadedConfiguration {
  var sources = ConfigurationSources()
  sources.program = program
  sources.file = yaml.map { ("t.yaml", $0) }
  sources.environment = environment
  sources.flags = flags
  return try sources.load()
}

/// The messages that loading ends with; empty when it succeeds.
func faults(
  _ yaml: String? = nil, environment: [String: String] = [:],
  flags: [(key: String, value: String, flag: String)] = [], program: ServerConfiguration? = nil
) -> [String] {
  do {
    _ = try load(yaml, environment: environment, flags: flags, program: program)
    return []
  } catch {
    return error.faults.map(\.description)
  }
}

extension LoadedConfiguration {
  /// Every key and its value, without origins.
  var values: [String] {
    ConfigurationPrinter(loaded: self).entries.map { "\($0.path.joined(separator: ".")): \($0.yaml)" }
  }
}

/// A room kind as a program writes it.
func programRoom(
  _ name: String, tickRate: Int = 20, capacity: Int = 8, limits: RoomLimits = RoomLimits()
) throws -> RoomKind {
  let schema = try Schema([EntityKind("ball", capacity: 16, fields: [Field("spin", .bool)])])
  return RoomKind(name, schema: schema, tickRate: tickRate, capacity: capacity, limits: limits) {
    RelayLogic(grants: [])
  }
}
