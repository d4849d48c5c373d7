import Foundation
import RoomEngine
import Testing
import WireFormat

@testable import TickServer

@Suite("What is printed reads as the same configuration")
struct ConfigurationPrintTests {
  private static let awkward = """
    listen: "[::1]:any"
    loops: 3
    maxConnectionsPerAddress: 7
    handshakeDeadline: 1500ms
    idleDeadline: 90s
    sendBuffer: 5000B
    auth: {tokens: ["a b", "\\"quoted\\" \\\\ \\u0007", "~", "ünï: # x", "null", "off"]}
    log: {level: trace, format: json}
    rooms:
      one-room:
        tickRate: 128
        capacity: 3
        limits: {frameLogBytes: 5000B, grace: 120s, stallDeadline: 100ms}
        entities:
          all_types:
            capacity: 500
            atJoin: 0
            most: 4
            fields:
              a: {type: bool}
              b: {type: unsigned, bits: 32}
              c: {type: signed, bits: 1}
              d: {type: fixed, min: -0.3, max: 0.7, step: 0.1}
              e: {type: fixed, min: 0, max: 1e-3, step: 1e-5}
              f: {type: vector, components: 4, min: -1000000, max: 1000000, step: 0.001}
              g: {type: angle, steps: 65536}
              h: {type: quaternion, bits: 15}
              i: {type: string, maxBytes: 255}
              j: {type: bytes, maxBytes: 1}
              k: {type: reference}
              l: {type: fixed, min: -3.3, max: 9.9, step: 1.1}
          null: {fields: {f: {type: bool}}}
      two: {entities: {e: {fields: {f: {type: bool}}}}}
    """

  @Test(
    "all values survive, from whichever layer",
    arguments: [nil, "", "maxRooms: 5", awkward.replacing("null:", with: "\"null\":")])
  func roundTrip(_ yaml: String?) throws {
    let loaded = try load(yaml, flags: [("drain", "7s", "--set")])
    let again = try load(loaded.yaml)
    #expect(again.values == loaded.values)
    #expect(again.configuration.roomKinds.map(\.schema) == loaded.configuration.roomKinds.map(\.schema))
    #expect(again.configuration.authentication == loaded.configuration.authentication)
    #expect(again.origin(of: "drain") != .builtIn)
  }

  @Test("decimal ranges keep their last step although binary fractions fall short of it")
  func decimalRanges() throws {
    let loaded = try load(
      "rooms: {r: {entities: {e: {fields: {f: {type: fixed, min: -0.3, max: 0.7, step: 0.1}}}}}}")
    let field = loaded.configuration.roomKinds[0].schema.kinds[0].fields[0]
    #expect(field.type == .fixed(FixedPoint(low: -3, high: 7, step: 0.1)))
    #expect(loaded.yaml.contains("f: {type: fixed, min: -0.3, max: 0.7, step: 0.1}"))
  }

  @Test("without its tokens it is no configuration: nothing that lets everyone in may come of it")
  func tokens() throws {
    let loaded = try load("auth: {tokens: [hush, \"# hush\"]}\nmaxRooms: 5")
    let shown = loaded.yaml(showsTokens: false)
    #expect(!shown.contains("hush"))
    #expect(shown.contains("  tokens: []  # 2 not shown: --show-tokens prints them\n"))
    #expect(faults(shown).contains { $0.contains("auth.tokens: it has no token") })
    #expect(try load(loaded.yaml).configuration.authentication == .tokens(["hush", "# hush"]))
  }

  @Test("each value says where it comes from")
  func origins() throws {
    let loaded = try load(
      "maxRooms: 5\nrooms: {r: {entities: {e: {fields: {f: {type: bool}}}}}}",
      environment: ["TICKSERVER_LOOPS": "2"], flags: [("host", "::1", "--host")])
    let lines = loaded.yaml.split(separator: "\n").map(String.init)
    #expect(lines.contains("host: \"::1\"  # flag --host"))
    #expect(lines.contains("loops: 2  # environment TICKSERVER_LOOPS"))
    #expect(lines.contains("maxRooms: 5  # t.yaml:1"))
    #expect(lines.contains("drain: 5s  # default"))
    #expect(lines.contains("          f: {type: bool}  # t.yaml:2"))
  }

  @Test("the documented file holds every key and the defaults")
  func documentedFile() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let yaml = try String(contentsOf: root.appending(path: "docs/tickserver.yaml"), encoding: .utf8)
    let documented = try load(yaml)
    #expect(documented.values == (try load().values))
    for setting in settings(of: ConfigurationDraft()) {
      let key = setting.path[setting.path.count - 1]
      #expect(yaml.contains("\(key): "), "docs/tickserver.yaml lacks \(setting.key)")
      // Shorthands and alternatives stand there as comments; every other key is set.
      if setting.text(ConfigurationDraft()) != nil {
        #expect(documented.origin(of: setting.key) != .builtIn, "docs/tickserver.yaml does not set \(setting.key)")
      }
    }
    #expect(yaml.contains("tokens: ["))
  }
}
