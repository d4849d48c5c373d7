import Testing

@testable import TickServer

/// One mistake in a file and the message it must give.
struct Mistake: CustomTestStringConvertible, Sendable {
  let yaml: String
  let message: String
  var testDescription: String { yaml.split(separator: "\n").joined(separator: " ") }

  init(_ yaml: String, _ message: String) {
    self.yaml = yaml
    self.message = message
  }

  /// In the limits of a room that is right otherwise.
  static func limit(_ line: String, _ message: String) -> Mistake {
    Mistake(
      "rooms:\n  r:\n    entities: {e: {fields: {f: {type: bool}}}}\n    limits:\n      \(line)",
      "t.yaml:5: rooms.r.limits." + message)
  }

  /// In one field of a room that is right otherwise.
  static func field(_ type: String, _ message: String) -> Mistake {
    Mistake("rooms: {r: {entities: {e: {fields: {f: \(type)}}}}}", "t.yaml:1: rooms.r.entities.e.fields.f" + message)
  }
}

private let scalars: [Mistake] = [
  Mistake("port: 0", "t.yaml:1: port is \"0\": 0 never means any, auto, off or unlimited. Allowed: any or 1 to 65535."),
  Mistake("port: 65536", "t.yaml:1: port is \"65536\": it is too large. Allowed: any or 1 to 65535."),
  Mistake("port: http", "t.yaml:1: port is \"http\": it is not a whole number. Allowed: any or 1 to 65535."),
  Mistake("port:", "t.yaml:1: port is \"\": it has no value. Allowed: any or 1 to 65535."),
  Mistake("port: -1", "t.yaml:1: port is \"-1\": it is too small. Allowed: any or 1 to 65535."),
  Mistake("port: [1]", "t.yaml:1: port is a list, not a single value. Allowed: any or 1 to 65535."),
  Mistake(
    "port: 99999999999999999999",
    "t.yaml:1: port is \"99999999999999999999\": it is too large. Allowed: any or 1 to 65535."),
  Mistake(
    "host: localhost",
    "t.yaml:1: host is \"localhost\": it is not an address. Allowed: an IPv4 or IPv6 address, such as 0.0.0.0 or ::1."),
  Mistake(
    "listen: 127.0.0.1",
    "t.yaml:1: listen is \"127.0.0.1\": it has no port. Allowed: ADDRESS:PORT, such as 0.0.0.0:7777 or [::1]:7777."),
  Mistake(
    "listen: ::1:7777",
    "t.yaml:1: listen is \"::1:7777\": \"::1\" is not an address. Allowed: ADDRESS:PORT, such as 0.0.0.0:7777 or [::1]:7777."
  ),
  Mistake(
    "listen: 1.2.3.4:0",
    "t.yaml:1: listen is \"1.2.3.4:0\": its port: 0 never means any, auto, off or unlimited. Allowed: ADDRESS:PORT, such as 0.0.0.0:7777 or [::1]:7777."
  ),
  Mistake("loops: off", "t.yaml:1: loops is \"off\": it is not a whole number. Allowed: auto or 1 to 256."),
  Mistake(
    "loops: 0", "t.yaml:1: loops is \"0\": 0 never means any, auto, off or unlimited. Allowed: auto or 1 to 256."),
  Mistake(
    "maxConnections: unlimited",
    "t.yaml:1: maxConnections is \"unlimited\": it is not a whole number. Allowed: 1 to 1000000."),
  Mistake(
    "maxConnections: 1.5", "t.yaml:1: maxConnections is \"1.5\": it is not a whole number. Allowed: 1 to 1000000."),
  Mistake(
    "maxConnectionsPerAddress: 0",
    "t.yaml:1: maxConnectionsPerAddress is \"0\": 0 never means any, auto, off or unlimited. Allowed: unlimited or 1 to 1000000."
  ),
  Mistake("maxRooms: 65537", "t.yaml:1: maxRooms is \"65537\": it is too large. Allowed: 1 to 65536."),
  Mistake(
    "idleDeadline: off",
    "t.yaml:1: idleDeadline is \"off\": it is not a time: write a whole number and a unit without spaces, such as 250ms. Allowed: 1s to 1h."
  ),
  Mistake(
    "idleDeadline: 30",
    "t.yaml:1: idleDeadline is \"30\": a time needs a unit, ns, us, ms, s, m or h, such as 30ms or 30s. Allowed: 1s to 1h."
  ),
  Mistake(
    "idleDeadline: 0s",
    "t.yaml:1: idleDeadline is \"0s\": 0 never means any, auto, off or unlimited. Allowed: 1s to 1h."),
  Mistake("idleDeadline: 2h", "t.yaml:1: idleDeadline is \"2h\": it is too large. Allowed: 1s to 1h."),
  Mistake(
    "idleDeadline: 5 s",
    "t.yaml:1: idleDeadline is \"5 s\": it is not a time: write a whole number and a unit without spaces, such as 250ms. Allowed: 1s to 1h."
  ),
  Mistake(
    "idleDeadline: 5S",
    "t.yaml:1: idleDeadline is \"5S\": \"S\" is not a unit of a time: write ns, us, ms, s, m or h. Allowed: 1s to 1h."),
  Mistake(
    "sendBuffer: 64kb",
    "t.yaml:1: sendBuffer is \"64kb\": \"kb\" is not a unit of a size: write B, KiB, MiB or GiB. Allowed: auto or 4KiB to 4MiB."
  ),
  Mistake(
    "sendBuffer: 65536",
    "t.yaml:1: sendBuffer is \"65536\": a size needs a unit, B, KiB, MiB or GiB, such as 65536B or 65536KiB. Allowed: auto or 4KiB to 4MiB."
  ),
  Mistake(
    "sendBuffer: 99999999999GiB",
    "t.yaml:1: sendBuffer is \"99999999999GiB\": it is too large. Allowed: auto or 4KiB to 4MiB."),
  Mistake(
    "log: {level: warn}",
    "t.yaml:1: log.level is \"warn\": it is none of the words, \"warning\" is the nearest. Allowed: trace, debug, info, notice, warning, error or critical."
  ),
  Mistake("log: {format: xml}", "t.yaml:1: log.format is \"xml\": it is none of the words. Allowed: text or json."),
  Mistake(
    "auth: on",
    "t.yaml:1: auth is \"on\": it is not a word that is known here. Allowed: off, or a section with tokens or tokensFile."
  ),
  Mistake(
    "auth: {tokens: []}", "t.yaml:1: auth.tokens: it has no token. Allowed: a list of tokens of 1 to 2048 bytes."),
  Mistake(
    "auth: {tokens: secret}",
    "t.yaml:1: auth.tokens is a single value. Allowed: a list of tokens, such as [\"a\", \"b\"]."),
  Mistake(
    "auth: {tokens: [\"\"]}",
    "t.yaml:1: auth.tokens: token 1 has 0 bytes. Allowed: a list of tokens of 1 to 2048 bytes."),
  Mistake(
    "auth: {tokens: [a], tokensFile: b}",
    "t.yaml:1: auth.tokensFile and auth.tokens exclude each other. Keep one of them."),
  Mistake("auth: {tokensFile: }", "t.yaml:1: auth.tokensFile is \"\": it has no value. Allowed: the path of a file."),
  Mistake(
    "host: \"a\\nb\"",
    "t.yaml:1: host is \"a\\nb\": it is not an address. Allowed: an IPv4 or IPv6 address, such as 0.0.0.0 or ::1."),
]

private let structure: [Mistake] = [
  Mistake("prot: 7777", "t.yaml:1: \"prot\" is not a setting. Did you mean \"port\"?"),
  Mistake("log: debug", "t.yaml:1: log is a single value, not a section. Write its keys below it: level, format."),
  Mistake("log: {levle: debug}", "t.yaml:1: \"log.levle\" is not a setting. Did you mean \"level\"?"),
  Mistake("- port", "t.yaml:1: the file is not a list of keys and values. Write \"key: value\" lines."),
  Mistake("just text", "t.yaml:1: the file is not a list of keys and values. Write \"key: value\" lines."),
  Mistake("port: 1\nhost: 0.0.0.0\nport: 2", "t.yaml:1: port is set twice: here and in line 3. Keep one of them."),
  Mistake("\"port\": 1\nport: 2", "t.yaml:1: port is set twice: here and in line 2. Keep one of them."),
  Mistake("listen: 127.0.0.1:1\nport: 2", "t.yaml:2: port and listen exclude each other. Keep one of them."),
  Mistake("port: 1\n  host: 2", "t.yaml:2: not valid YAML: mapping values are not allowed in this context."),
  Mistake("port: *nowhere", "t.yaml:1: not valid YAML: found undefined alias."),
  Mistake("port: 1\n---\nport: 2", "t.yaml:2: not valid YAML: but found another document."),
  Mistake("? [a]\n: 1", "t.yaml:1: a key is a list. Write a name."),
  Mistake(
    "idleDeadline: 10s",
    "t.yaml:1: pingInterval is 10s and idleDeadline is 10s: quiet connections would be closed before they are asked. Make pingInterval shorter."
  ),
  Mistake("? &a port\n: 1\n? *a\n: 2", "t.yaml:1: port is set twice in one section. Keep one of them."),
  Mistake(
    "port: 1\r\nmaxRooms: 2\r\nport: 2\r\n",
    "t.yaml:1: port is set twice: here and in line 3. Keep one of them."),
  Mistake(
    "idleDeadline: 5s",
    "t.yaml:1: pingInterval is 10s and idleDeadline is 5s: quiet connections would be closed before they are asked. Make pingInterval shorter."
  ),
]

private let limits: [Mistake] = [
  .limit(
    "frameLogBytes: 512",
    "frameLogBytes is \"512\": a size needs a unit, B, KiB, MiB or GiB, such as 512B or 512KiB. Allowed: 4KiB to 64MiB."
  ),
  .limit(
    "frameLogBytes: 0", "frameLogBytes is \"0\": 0 never means any, auto, off or unlimited. Allowed: 4KiB to 64MiB."),
  .limit(
    "frameLogBytes: 7e8 1e9",
    "frameLogBytes is \"7e8 1e9\": it is not a size: write a whole number and a unit without spaces, such as 64KiB. Allowed: 4KiB to 64MiB."
  ),
  .limit("frameLogBytes: -1MiB", "frameLogBytes is \"-1MiB\": a size cannot be negative. Allowed: 4KiB to 64MiB."),
  .limit("frameLogBytes: 1KiB", "frameLogBytes is \"1KiB\": it is too small. Allowed: 4KiB to 64MiB."),
  .limit("frameLogBytes: 65MiB", "frameLogBytes is \"65MiB\": it is too large. Allowed: 4KiB to 64MiB."),
  .limit(
    "frameLogBytes: unlimited",
    "frameLogBytes is \"unlimited\": it is not a size: write a whole number and a unit without spaces, such as 64KiB. Allowed: 4KiB to 64MiB."
  ),
  Mistake(
    "rooms:\n  r:\n    entities: {e: {fields: {f: {type: bool}}}}\n    limits: {framelogbyte: 1MiB}",
    "t.yaml:4: \"rooms.r.limits.framelogbyte\" is not a setting. Did you mean \"frameLogBytes\"?"),
  .limit(
    "grace: 20",
    "grace is \"20\": a time needs a unit, ns, us, ms, s, m or h, such as 20ms or 20s. Allowed: 100ms to 1h."),
  .limit("messageBurst: off", "messageBurst is \"off\": it is not a whole number. Allowed: 1 to 100000."),
]

private let rooms: [Mistake] = [
  Mistake(
    "rooms:",
    "t.yaml:1: rooms is empty. Write one section for each room kind below it, or leave it out for the default."),
  Mistake(
    "rooms: {}",
    "t.yaml:1: rooms is empty. Write one section for each room kind below it, or leave it out for the default."),
  Mistake(
    "rooms: [a]",
    "t.yaml:1: rooms is a list. Write one section for each room kind below it, or leave it out for the default."),
  Mistake("rooms: {r: }", "t.yaml:1: rooms.r is empty, not a section. Write its keys below it."),
  Mistake(
    "rooms: {\"a b\": {}}",
    "t.yaml:1: rooms: \"a b\" is not a name. Allowed: 1 to 64 letters (a to z), digits, hyphens and underscores."),
  Mistake(
    "rooms: {r: {capacity: 5}}",
    "t.yaml:1: rooms.r.entities is missing: the program defines no room kind \"r\". Write at least one entity kind with its fields."
  ),
  Mistake(
    "rooms: {r: {entities: {}}}",
    "t.yaml:1: rooms.r.entities is missing: the program defines no room kind \"r\". Write at least one entity kind with its fields."
  ),
  Mistake(
    "rooms: {r: {entities: {e: {atJoin: 1}}}}", "t.yaml:1: rooms.r.entities.e.fields is missing. Write 1 to 64 fields."),
  Mistake(
    "rooms: {r: {entities: {e: {fields: {f: {type: bool}}, atJion: 1}}}}",
    "t.yaml:1: \"rooms.r.entities.e.atJion\" is not a setting. Did you mean \"atJoin\"?"),
  Mistake(
    "rooms:\n  r: {entities: {e: {fields: {f: {type: bool}}}}}\n  r: {entities: {e: {fields: {f: {type: bool}}}}}",
    "t.yaml:2: rooms.r is set twice: here and in line 3. Keep one of them."),
  Mistake(
    "rooms: {r: {entities: {e: {fields: {f: {type: bool}, f: {type: bool}}}}}}",
    "t.yaml:1: rooms.r.entities.e.fields.f is set twice. Keep one of them."),
  Mistake(
    "rooms: {r: {tickRate: 129, entities: {e: {fields: {f: {type: bool}}}}}}",
    "t.yaml:1: rooms.r.tickRate is \"129\": it is too large. Allowed: 1 to 128."),
  Mistake(
    "rooms: {r: {tickRate: 30Hz, entities: {e: {fields: {f: {type: bool}}}}}}",
    "t.yaml:1: rooms.r.tickRate is \"30Hz\": it is not a whole number. Allowed: 1 to 128."),
  Mistake(
    "rooms: {r: {entities: {e: {capacity: 99, fields: {f: {type: bool}}}}}}",
    "t.yaml:1: rooms.r.entities.e.capacity is \"99\": 100 players with 1 at join need more. Set it higher (at most 65536) or rooms.r.capacity lower."
  ),
  Mistake(
    "rooms: {r: {entities: {e: {atJoin: 2, most: 1, fields: {f: {type: bool}}}}}}",
    "t.yaml:1: rooms.r.entities.e.most is \"1\": players get 2 when they join. Set most to at least 2, or atJoin lower."
  ),
  Mistake(
    "rooms: {r: {entities: {e: {atJoin: 0, fields: {f: {type: bool}}}}}}",
    "t.yaml:1: rooms.r.entities.e.atJoin is \"0\" and most is \"auto\": no player could have one. Set most to at least 1."
  ),
  Mistake(
    "rooms: {r: {capacity: 65536, entities: {e: {fields: {f: {type: string, maxBytes: 255}}}}}}",
    "t.yaml:1: rooms.r: a frame of this room may take 18834554 bytes, 17702932 of them for state: at most 1048576 are allowed. Lower the capacity of its entity kinds, use fewer fields, or lower eventBytesPerTick."
  ),
  .field("bool", " is a single value, not a section. Write its keys below it."),
  .field(
    "{}",
    ": it has no type. Allowed: bool, unsigned, signed, fixed, vector, angle, quaternion, string, bytes, reference."),
  .field(
    "{type: angel, steps: 360}",
    ": type is \"angel\". Did you mean \"angle\"? Allowed: bool, unsigned, signed, fixed, vector, angle, quaternion, string, bytes, reference."
  ),
  .field("{type: angle}", ": it has no steps. Type angle needs steps."),
  .field("{type: angle, steps: 1}", ": steps is 2 to 65536, not 1."),
  .field("{type: angle, steps: many}", ": steps is \"many\", not a whole number."),
  .field(
    "{type: angle, step: 360}", ": step (\"360\") does not belong to type angle. Did you mean \"steps\"? It has steps."),
  .field("{type: angle, steps: 1, steps: 2}", ": steps is set twice. Keep one of them."),
  .field("{type: unsigned, bits: 33}", ": bits is 1 to 32, not 33."),
  .field("{type: bool, bits: 1}", ": bits (\"1\") does not belong to type bool. It has nothing but its type."),
  .field("{type: vector, components: 5, min: 0, max: 1, step: 0.1}", ": a vector has 2 to 4 components, not 5."),
  .field("{type: fixed, min: 1, max: 0, step: 0.1}", ": min is 1.0 and max is 0.0. min must not be above max."),
  .field("{type: fixed, min: 0, max: 1, step: 0}", ": step is \"0\". It must be above 0."),
  .field(
    "{type: fixed, min: 0, max: 1e12, step: 0.1}",
    ": min or max is more than 2^31 steps from 0. Use a larger step or a smaller range."),
  .field(
    "{type: fixed, min: 0.01, max: 0.02, step: 0.1}",
    ": the range has no multiple of the step 0.1, or more than 2^31 of them: use a larger step or another range."),
  .field("{type: fixed, min: nan, max: 0.02, step: 0.1}", ": min is \"nan\", not a number."),
  .field("{type: string, maxBytes: 256}", ": maxBytes is 1 to 255, not 256."),
]

@Suite("Mistakes in a configuration file")
struct ConfigurationFaultTests {
  @Test("a value that is not allowed", arguments: scalars)
  func scalar(_ mistake: Mistake) {
    #expect(faults(mistake.yaml) == [mistake.message])
  }

  @Test("keys and sections that do not belong", arguments: structure)
  func key(_ mistake: Mistake) {
    #expect(faults(mistake.yaml) == [mistake.message])
  }

  @Test("a key that is like none is answered with all there are")
  func unlike() throws {
    let fault = try #require(faults("zzzzzzzzzz: 1").first)
    #expect(fault.hasPrefix("t.yaml:1: \"zzzzzzzzzz\" is not a setting. Known here: listen, host, port, loops, "))
    #expect(fault.hasSuffix(", auth, admin, log, rooms."))
  }

  @Test("limits of a room", arguments: limits)
  func limit(_ mistake: Mistake) {
    #expect(faults(mistake.yaml) == [mistake.message])
  }

  @Test("rooms, entities and fields", arguments: rooms)
  func room(_ mistake: Mistake) {
    #expect(faults(mistake.yaml) == [mistake.message])
  }

  @Test("all mistakes of a file are told at once, by line")
  func all() {
    let yaml = """
      port: 0
      maxRoms: 5
      rooms:
        r:
          limits: {grace: 20, messageBurst: 0}
          entities:
            e: {fields: {f: {type: boolean}, g: {type: bool}}}
          capacity: 1
          capacity: 2
      """
    let lines = faults(yaml, environment: ["TICKSERVER_LOOPS": "no"], flags: [("drain", "1", "--set")])
    #expect(
      lines.map { String($0.prefix { $0 != " " }) } == [
        "t.yaml:1:", "t.yaml:2:", "t.yaml:5:", "t.yaml:5:", "t.yaml:7:", "t.yaml:8:", "environment", "flag",
      ])
  }

  @Test("a message is one line, whatever the names of variables and the parts of values hold")
  func oneLineEach() {
    #expect(
      faults(environment: ["TICKSERVER_A\nerror: all is lost": "1"]) == [
        "environment TICKSERVER_A\\nerror: all is lost: TICKSERVER_A\\nerror: all is lost is not a setting. "
          + "Remove it, or see --print-config for all keys."
      ])
    let lines = faults(flags: [("listen", "[::\n1]:any", "--set")])
    #expect(lines.count == 1)
    #expect(lines.allSatisfy { !$0.contains("\n") && $0.contains("\"::\\n1\" is not an address") }, "\(lines)")
  }

  @Test("a token never appears in a message")
  func secrets() {
    let token = "s3cret" + String(repeating: "x", count: 2048)
    #expect(faults("auth: {tokens: [\(token)]}").joined().contains("s3cret") == false)
    #expect(faults("auth: {tokens: [\(token)]}").isEmpty == false)
  }
}

@Suite("Any text as a configuration file")
struct ConfigurationNoiseTests {
  @Test("damaged files end in messages, each on one line", arguments: 0..<8)
  func noise(_ seed: UInt64) throws {
    var random = Xorshift(state: seed &* 0x9E37_79B9_7F4A_7C15 | 1)
    let pieces = [
      "port", ": ", "\n", "  ", "rooms", "r", "entities", "e", "fields", "f", "{", "}", "[", "]", ",", "type", "bool",
      "limits", "grace", "5s", "auth", "tokens", "&a ", "*a", "? ", "- ", "\"", "'", "#", "\t", "\r", "é", "\u{E000}",
      "\u{0}", "|", ">", "!!int ", "<<", "~", "---\n", "...", "0", "%", "@", "`",
    ]
    let good = try load().yaml
    for round in 0..<300 {
      var text = round % 2 == 0 ? "" : good
      for _ in 0..<Int(random.next() % 12 + 1) {
        let piece = pieces[Int(random.next() % UInt64(pieces.count))]
        let offset = Int(random.next() % UInt64(text.unicodeScalars.count + 1))
        let place = text.unicodeScalars.index(text.unicodeScalars.startIndex, offsetBy: offset)
        text.unicodeScalars.insert(contentsOf: piece.unicodeScalars, at: place)
      }
      for message in faults(text) {
        #expect(message.unicodeScalars.allSatisfy { $0.value >= 0x20 }, "seed \(seed), round \(round): \(message)")
      }
    }
  }
}

/// A small generator, so that a seed replays a failure.
private struct Xorshift: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
