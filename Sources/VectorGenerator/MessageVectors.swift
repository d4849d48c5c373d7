import WireFormat

/// `messages.json`: each message of both directions, with typical and boundary values.
enum MessageVectors {
  static func vectors() throws -> [JSONValue] {
    try (client + server).map { sample in
      let schema = sample.schema
      let hex = try MessageFields.encode(sample.type, from: sample.sender, sample.fields, schema)
      var vector: [String: JSONValue] = [
        "name": .string(sample.name), "kind": "message", "from": .string(sample.sender.rawValue), "hex": .hex(hex),
        "type": .string(name(of: sample.type)), "fields": sample.fields,
      ]
      vector["schemaHex"] = schema.map { .hex($0.encoded) }
      return .object(vector)
    }
  }

  /// The name in the tables of the document: the case with a capital.
  static func name(of type: MessageType) -> String {
    let name = "\(type)"
    return name.prefix(1).uppercased() + name.dropFirst()
  }

  private struct Sample {
    let name: String
    let sender: Sender
    let type: MessageType
    let fields: JSONValue
    var schema: Schema?

    init(_ name: String, _ sender: Sender, _ type: MessageType, _ fields: JSONValue, schema: Schema? = nil) {
      (self.name, self.sender, self.type, self.fields, self.schema) = (name, sender, type, fields, schema)
    }
  }

  private static let most32 = JSONValue.int(Int(UInt32.max))
  private static let most64 = JSONValue.integer(UInt64.max)

  private static func repeated(_ byte: UInt8, _ count: Int) -> JSONValue {
    .hex(Array(repeating: byte, count: count))
  }

  // MARK: From the client

  private static var client: [Sample] {
    [
      Sample("hello without credential", .client, .hello, ["version": 1, "capabilities": 0, "credential": 0]),
      Sample(
        "hello with token", .client, .hello,
        ["version": 1, "capabilities": 5, "credential": 1, "tokenHex": "65794a68"]),
      Sample(
        "hello with empty token", .client, .hello,
        ["version": 1, "capabilities": most64, "credential": 1, "tokenHex": ""]),
      Sample(
        "hello with longest token", .client, .hello,
        ["version": 1, "capabilities": 0, "credential": 1, "tokenHex": repeated(0x61, WireLimits.tokenBytes)]),
      Sample(
        "hello with shortest ticket", .client, .hello,
        [
          "version": 1, "capabilities": 0, "credential": 2, "ticketHex": repeated(0xA5, 16), "lastTick": 900,
          "lastEvent": 17, "lastWhisper": 0,
        ]),
      Sample(
        "hello with longest ticket", .client, .hello,
        [
          "version": 1, "capabilities": 0, "credential": 2, "ticketHex": repeated(0xFF, 64), "lastTick": most32,
          "lastEvent": most64, "lastWhisper": most64,
        ]),
      Sample(
        "join", .client, .join,
        ["flags": 0, "room": "lobby-1", "roomKind": "arena", "schemaHash": 0, "optionsHex": ""]),
      Sample(
        "join strict", .client, .join,
        [
          "flags": 1, "room": "eu/lobby.1:2_3", "roomKind": "a", "schemaHash": .integer(0xFEDC_BA98_7654_3210),
          "optionsHex": "00ff",
        ]),
      Sample(
        "join with longest names and options", .client, .join,
        [
          "flags": 0, "room": .string(String(repeating: "r", count: 64)),
          "roomKind": .string(String(repeating: "k", count: 64)), "schemaHash": most64,
          "optionsHex": repeated(1, WireLimits.optionsBytes),
        ]),
      Sample("leave", .client, .leave, [:]),
    ] + inputs + clientEvents + calls + pings(.client)
  }

  private static var inputs: [Sample] {
    [
      Sample("input without entries", .client, .input, ["sequence": 1, "entries": []], schema: SampleSchema.full),
      Sample(
        "input of one entity", .client, .input,
        ["sequence": 300, "entries": [["kind": 0, "id": 7, "mask": 24, "values": [-51200, [51200, -1, 0]]]]],
        schema: SampleSchema.full),
      Sample(
        "input of all field types", .client, .input,
        [
          "sequence": most32,
          "entries": [
            ["kind": 0, "id": 299, "mask": 1023, "values": .array(SampleSchema.typical)],
            ["kind": 1, "id": 65535, "mask": 1, "values": [4_294_967_295]],
          ],
        ], schema: SampleSchema.full),
      Sample(
        "input of lowest values", .client, .input,
        ["sequence": 0, "entries": [["kind": 0, "id": 0, "mask": 1023, "values": .array(SampleSchema.lowest)]]],
        schema: SampleSchema.full),
      Sample(
        "input of highest values", .client, .input,
        ["sequence": 128, "entries": [["kind": 0, "id": 0, "mask": 1023, "values": .array(SampleSchema.highest)]]],
        schema: SampleSchema.full),
    ]
  }

  private static var clientEvents: [Sample] {
    [
      Sample("event to all", .client, .event, ["flags": 0, "target": 0, "code": 16, "payloadHex": ""]),
      Sample(
        "reliable event to others", .client, .event, ["flags": 1, "target": 1, "code": 300, "payloadHex": "0102"]),
      Sample(
        "event to one with longest payload", .client, .event,
        [
          "flags": 1, "target": 2, "player": 65535, "code": 65535,
          "payloadHex": repeated(0x80, WireLimits.payloadBytes),
        ]),
    ]
  }

  private static var calls: [Sample] {
    [
      Sample("call without payload", .client, .call, ["id": 0, "method": 0, "payloadHex": ""]),
      Sample(
        "call of highest numbers", .client, .call,
        ["id": most32, "method": 65535, "payloadHex": repeated(0, WireLimits.payloadBytes)]),
    ]
  }

  private static func pings(_ sender: Sender) -> [Sample] {
    [
      Sample("ping from \(sender.rawValue)", sender, .ping, ["token": 0]),
      Sample("ping of 64 bits from \(sender.rawValue)", sender, .ping, ["token": most64]),
      Sample("pong from \(sender.rawValue)", sender, .pong, ["token": 127, "time": 128]),
      Sample("pong of 64 bits from \(sender.rawValue)", sender, .pong, ["token": most64, "time": most64]),
    ]
  }

  // MARK: From the server

  private static var server: [Sample] {
    [
      Sample(
        "welcome", .server, .welcome,
        [
          "version": 1, "capabilities": 0, "session": 1, "time": 1_000_000, "maxClientMessage": 16384,
          "maxServerMessage": 1_048_576, "graceSeconds": 30, "ticketHex": repeated(0x42, 32),
        ]),
      Sample(
        "welcome of highest numbers", .server, .welcome,
        [
          "version": most32, "capabilities": most64, "session": most64, "time": most64, "maxClientMessage": most32,
          "maxServerMessage": most32, "graceSeconds": most32, "ticketHex": repeated(0, 64),
        ]),
      Sample("input ack", .server, .inputAck, ["sequence": 0, "dropped": 0]),
      Sample("input ack of 32 bits", .server, .inputAck, ["sequence": most32, "dropped": 0]),
      Sample(
        "input ack after dropped inputs", .server, .inputAck, ["sequence": 1296, "dropped": 1100, "firstApplied": 1281]),
      Sample(
        "input ack of highest numbers", .server, .inputAck,
        ["sequence": most32, "dropped": most32, "firstApplied": most32]),
      Sample("left", .server, .left, [:]),
    ] + joins + frames + answers + whispers + endings + pings(.server)
  }

  private static var joins: [Sample] {
    let schema = SampleSchema.full
    return [
      Sample(
        "joined", .server, .joined,
        [
          "flags": 6, "player": 3, "generation": 1, "tick": 900, "tickRate": 30, "start": 5_000_000, "lastEvent": 12,
          "lastWhisper": 0, "schemaHash": .integer(schema.hash), "schemaHex": .hex(schema.encoded),
          "players": [0, 1, 3, 200],
        ]),
      Sample(
        "joined with known schema", .server, .joined,
        [
          "flags": 4, "player": 65535, "generation": most32, "tick": most32, "tickRate": 1, "start": most64,
          "lastEvent": most64, "lastWhisper": most64, "schemaHash": most64, "players": [0, 65535],
        ]),
      Sample(
        "joined again", .server, .joined,
        [
          "flags": 1, "player": 0, "generation": 0, "tick": 0, "tickRate": 60, "start": 0, "lastEvent": 0,
          "lastWhisper": 7, "schemaHash": 1,
        ]),
    ]
  }

  private static var frames: [Sample] {
    [
      Sample("heartbeat frame", .server, .frame, ["flags": 0, "tick": 930, "span": 30]),
      Sample("empty keyframe", .server, .frame, ["flags": 1, "tick": 0, "lastEvent": 0]),
      Sample(
        "frame with events", .server, .frame,
        [
          "flags": 2, "tick": most32, "span": most32, "firstReliable": 13,
          "events": [
            ["flags": 1, "code": 1, "payloadHex": "0301"],
            ["flags": 2, "sender": 3, "code": 16, "payloadHex": ""],
            ["flags": 7, "sender": 65535, "code": 65535, "payloadHex": repeated(9, WireLimits.payloadBytes)],
          ],
        ]),
      Sample(
        "frame with state", .server, .frame, ["flags": 4, "tick": 2, "span": 1, "stateHex": "010302000001050500"]),
    ]
  }

  private static var answers: [Sample] {
    ReplyStatus.allCases.map { status in
      Sample(
        "reply \(status)", .server, .reply,
        ["id": status == .ok ? most32 : 1, "status": .int(Int(status.rawValue)), "payloadHex": "6f6b"])
    } + [
      Sample(
        "reply with longest payload", .server, .reply,
        ["id": 0, "status": 0, "payloadHex": repeated(7, WireLimits.payloadBytes)])
    ]
  }

  private static var whispers: [Sample] {
    [
      Sample("whisper", .server, .whisper, ["flags": 0, "number": 0, "code": 16, "payloadHex": ""]),
      Sample(
        "reliable whisper with sender", .server, .whisper,
        [
          "flags": 3, "number": most64, "sender": 65535, "code": 65535,
          "payloadHex": repeated(7, WireLimits.payloadBytes),
        ]),
      Sample(
        "missed events", .server, .events,
        [
          "first": 41,
          "events": [
            ["flags": 1, "code": 2, "payloadHex": "03"], ["flags": 3, "sender": 0, "code": 17, "payloadHex": "ff"],
          ],
        ]),
    ]
  }

  private static var endings: [Sample] {
    let refusals = JoinRefusal.allCases.map { refusal in
      Sample(
        "join refused \(refusal)", .server, .joinRefused,
        ["refusal": .int(Int(refusal.rawValue)), "flags": 0, "text": .string("\(refusal)")])
    }
    let reasons = CloseReason.allCases.filter(\.isTold).map { reason in
      Sample(
        "goodbye \(reason.name)", .server, .goodbye,
        ["reason": .int(Int(reason.rawValue)), "flags": 0, "text": .string(reason.name)])
    }
    return refusals + reasons + [
      Sample(
        "join refused with retry", .server, .joinRefused,
        ["refusal": 10, "flags": 1, "retryAfterMilliseconds": most32, "text": ""]),
      Sample(
        "goodbye with retry and address", .server, .goodbye,
        [
          "reason": 1, "flags": 3, "retryAfterMilliseconds": 1500, "address": "game-2.example:7777",
          "text": "Wartung \u{2013} zur\u{FC}ck um 5 \u{1F44B}",
        ]),
      Sample(
        "goodbye of an unknown reason", .server, .goodbye,
        ["reason": 65535, "flags": 2, "address": "", "text": .string(String(repeating: "x", count: 512))]),
    ]
  }
}
