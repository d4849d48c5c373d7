import RoomEngine
import Testing
import WireFormat

@testable import TickServer

@Suite("Flags win over environment, environment over file, file over default")
struct ConfigurationLayerTests {
  @Test("each layer wins over those before it")
  func precedence() throws {
    let yaml = "port: 1001\nmaxRooms: 11\ndrain: 11s\n"
    let environment = ["TICKSERVER_PORT": "1002", "TICKSERVER_MAX_ROOMS": "12", "PATH": "/bin"]
    let loaded = try load(yaml, environment: environment, flags: [("port", "1003", "--port")])
    #expect(loaded.configuration.port == 1003)
    #expect(loaded.configuration.maxRooms == 12)
    #expect(loaded.configuration.drain == .seconds(11))
    #expect(loaded.configuration.maxConnections == 1000)
    #expect(loaded.origin(of: "port") == .flag("--port"))
    #expect(loaded.origin(of: "maxRooms") == .environment("TICKSERVER_MAX_ROOMS"))
    #expect(loaded.origin(of: "drain") == .file(name: "t.yaml", line: 3))
    #expect(loaded.origin(of: "maxConnections") == .builtIn)
  }

  @Test("every scalar key has a variable of its own that sets it")
  func variables() throws {
    let known = settings(of: ConfigurationDraft())
    #expect(Set(known.map(\.variable)).count == known.count)
    for setting in known {
      guard let text = setting.text(ConfigurationDraft()) else { continue }
      let loaded = try load(environment: [setting.variable: text])
      #expect(loaded.origin(of: setting.key) == .environment(setting.variable))
    }
    #expect(known.contains { $0.variable == "TICKSERVER_LISTEN" })
    #expect(known.contains { $0.variable == "TICKSERVER_LOG_LEVEL" })
    #expect(known.contains { $0.variable == "TICKSERVER_MAX_CONNECTIONS_PER_ADDRESS" })
    #expect(known.contains { $0.variable == "TICKSERVER_ROOMS_ARENA_LIMITS_FRAME_LOG_BYTES" })
  }

  @Test("listen in one layer wins over host and port of another")
  func listen() throws {
    let loaded = try load(
      "host: 10.0.0.1\nport: 5", environment: ["TICKSERVER_LISTEN": "[::1]:any"], flags: [("port", "6", "--port")])
    #expect(loaded.configuration.host == "::1")
    #expect(loaded.configuration.port == 6)
    #expect(loaded.origin(of: "host") == .environment("TICKSERVER_LISTEN"))
  }

  @Test("authentication of a later layer replaces that of an earlier one")
  func authentication() throws {
    let yaml = "auth: {tokens: [one, \"two words\"]}"
    #expect(try load(yaml).configuration.authentication == .tokens(["one", "two words"]))
    let file = ["TICKSERVER_AUTH_TOKENS_FILE": "/run/t"]
    #expect(try load(yaml, environment: file).configuration.authentication == .tokensFile("/run/t"))
    #expect(try load(yaml, flags: [("auth", "off", "--set")]).configuration.authentication == .off)
  }

  @Test("a key of a room is set by flag and variable, and the schema follows its capacity")
  func roomKey() throws {
    let loaded = try load(
      environment: ["TICKSERVER_ROOMS_ARENA_CAPACITY": "400"],
      flags: [("rooms.arena.entities.avatar.most", "2", "--set")])
    let arena = try #require(loaded.configuration.roomKinds.first)
    #expect(arena.capacity == 400)
    // 400 players with at most 2 each, and a quarter more.
    #expect(arena.schema.kinds[0].capacity == 1000)
  }

  @Test("variables and flags that are no settings are refused")
  func unknown() {
    #expect(
      faults(environment: ["TICKSERVER_LOG_LEVL": "info"]) == [
        "environment TICKSERVER_LOG_LEVL: TICKSERVER_LOG_LEVL is not a setting. "
          + "Did you mean TICKSERVER_LOG_LEVEL? Remove it, or see --print-config for all keys."
      ])
    #expect(
      faults(flags: [("rooms.arena.limits.graze", "5s", "--set")]) == [
        "flag --set: \"rooms.arena.limits.graze\" is not a setting. "
          + "Did you mean \"rooms.arena.limits.grace\"? See --print-config for all keys."
      ])
    #expect(
      faults(environment: ["TICKSERVER_PORT": "99999"]) == [
        "environment TICKSERVER_PORT: port is \"99999\": it is too large. Allowed: any or 1 to 65535."
      ])
    #expect(
      faults(flags: [("port", "1", "--port"), ("port", "2", "--set")]) == [
        "flag --set: port is set twice. Keep one of them."
      ])
    #expect(
      faults(flags: [("listen", "1.1.1.1:1", "--listen"), ("port", "2", "--port")]) == [
        "flag --port: port and listen exclude each other. Keep one of them."
      ])
  }

  @Test(
    "variables that Kubernetes sets for a Service are ignored, with a warning",
    arguments: ["TICKSERVER", "TICKSERVER_METRICS", "TICKSERVER_ADMIN", "TICKSERVER_PORT", "TICKSERVER_A_SERVICE_B"],
    ["10.0.0.7", "fd00::7"])
  func serviceLinks(_ service: String, _ address: String) throws {
    let url = address.contains(":") ? "udp://[\(address)]:7777" : "tcp://\(address):7777"
    let port = "\(service)_PORT_7777_\(url.prefix(3).uppercased())"
    let loaded = try load(environment: [
      "\(service)_SERVICE_HOST": address, "\(service)_SERVICE_PORT": "7777", "\(service)_SERVICE_PORT_HTTP": "7777",
      "\(service)_PORT": url, port: url, "\(port)_PROTO": String(url.prefix(3)), "\(port)_PORT": "7777",
      "\(port)_ADDR": address, "TICKSERVER_MAX_ROOMS": "5",
    ])
    #expect(loaded.configuration.port == 7777)
    #expect(loaded.configuration.admin.port == 7778)
    #expect(loaded.configuration.maxRooms == 5)
    let warning = try #require(loaded.warnings.first)
    #expect(loaded.warnings.count == 1)
    #expect(warning.hasPrefix("\(service)_PORT, "), "\(warning)")
    #expect(warning.contains(" and 5 more ignored") && warning.contains("enableServiceLinks"), "\(warning)")
  }

  @Test(
    "what only looks a little like one is still an error",
    arguments: [
      ("TICKSERVER_PROT", "7777"), ("TICKSERVER_METRICS_PORT", "9090"), ("TICKSERVER_PORT", "http://10.0.0.7:7777"),
      ("TICKSERVER_SERVICE_HOST", "here"), ("TICKSERVER_A_SERVICE_PORT", "0"),
      ("TICKSERVER_MAX_ROOM", "tcp://1.1.1.1:1"),
      ("TICKSERVER_A_PORT_80_TCP_ADDR", "x"), ("TICKSERVER_A_PORT_80_TCP", "tcp://:80"),
      ("TICKSERVER_A_PORT", "tcp://"),
      ("TICKSERVER_HOST", "tcp://10.0.0.7:7777"), ("TICKSERVER_A_PORT_X_TCP_PORT", "80"),
    ])
  func noServiceLink(_ name: String, _ value: String) {
    #expect(faults(environment: [name: value]).count == 1)
  }

  @Test("two rooms whose variables are the same are told apart by key alone")
  func ambiguousVariable() {
    let room = "{entities: {e: {fields: {f: {type: bool}}}}}"
    #expect(
      faults("rooms: {a-b: \(room), a_b: \(room)}", environment: ["TICKSERVER_ROOMS_A_B_TICK_RATE": "5"]) == [
        "environment TICKSERVER_ROOMS_A_B_TICK_RATE: TICKSERVER_ROOMS_A_B_TICK_RATE could mean rooms.a-b.tickRate and "
          + "rooms.a_b.tickRate. Use the file or --set instead."
      ])
  }
}
