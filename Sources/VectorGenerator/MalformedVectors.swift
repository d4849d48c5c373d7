import WireFormat

/// `malformed.json`: inputs with exactly one fault each, for every error code and every message type.
enum MalformedVectors {
  static func vectors() -> [JSONValue] {
    (framing + fromClient + inputs + fromServer + schemas + frameHeads + sections + changes).map { sample in
      var vector: [String: JSONValue] = [
        "name": .string(sample.name), "kind": "malformed", "from": .string(sample.sender.rawValue),
        "hex": .hex(sample.bytes), "error": .string(sample.error.rawValue),
      ]
      vector["schemaHex"] = sample.schema.map { .hex($0.encoded) }
      return .object(vector)
    }
  }

  struct Sample {
    let name: String
    let sender: Sender
    let bytes: [UInt8]
    let error: WireError.Code
    var schema: Schema?

    /// A whole message with the body given as hex.
    init(
      _ error: WireError.Code, _ name: String, _ sender: Sender, _ type: MessageType, _ body: String,
      schema: Schema? = nil
    ) {
      let body = MalformedVectors.bytes(body)
      bytes = encodedBytes(bound: body.count + 16) { out in out.put(type, bound: body.count) { $0.put(raw: body.span) }
      }
      (self.name, self.sender, self.error, self.schema) = (name, sender, error, schema)
    }

    init(_ error: WireError.Code, raw: String, _ name: String) {
      (self.name, sender, bytes, self.error) = (name, .server, MalformedVectors.bytes(raw), error)
    }
  }

  fileprivate static func bytes(_ hex: String) -> [UInt8] {
    guard let bytes = WireHex.bytes(hex) else {
      // The literals below are hex; a wrong edit must stop the generator.
      preconditionFailure("not hex: \(hex)")
    }
    return bytes
  }

  static func filled(_ count: Int, _ byte: String = "61") -> String { String(repeating: byte, count: count) }

  private static let framing: [Sample] = [
    Sample(.truncated, raw: "0406", "message cut in its body"),
    Sample(.truncated, raw: "80", "message cut in its length"),
    Sample(.invalidLength, raw: "00", "length 0"),
    Sample(.invalidLength, raw: "ffffffffff01", "length of six bytes"),
    Sample(.invalidLength, raw: "ffffffffff", "length that does not end within five bytes"),
    Sample(.nonMinimalVarint, raw: "82000600", "length with a needless byte"),
    Sample(.unknownType, raw: "0140", "required type that is not known"),
    Sample(.unknownType, raw: "0100", "type 0"),
  ]

  private static let fromClient: [Sample] = [
    Sample(.truncated, "hello without credential byte", .client, .hello, "5449434b 01 00"),
    Sample(.nonMinimalVarint, "hello with long capabilities", .client, .hello, "5449434b 01 8000 00"),
    Sample(.outOfRange, "hello with credential 3", .client, .hello, "5449434b 01 00 03"),
    Sample(
      .invalidLength, "hello with a token of 2049 bytes", .client, .hello, "5449434b 01 00 01 8110" + filled(2049)),
    Sample(
      .invalidLength, "hello with a ticket of 15 bytes", .client, .hello, "5449434b 01 00 02 0f" + filled(15) + "000000"
    ),
    Sample(
      .invalidLength, "hello with a ticket of 65 bytes", .client, .hello, "5449434b 01 00 02 41" + filled(65) + "000000"
    ),
    Sample(.truncated, "hello with half a ticket", .client, .hello, "5449434b 01 00 02 10" + filled(8)),
    Sample(
      .valueTooLarge, "hello with a last tick of 33 bits", .client, .hello,
      "5449434b 01 00 02 10" + filled(16) + "8080808010 00 00"),
    Sample(
      .valueTooLarge, "hello with a last event of 65 bits", .client, .hello,
      "5449434b 01 00 02 10" + filled(16) + "00 ffffffffffffffffff02 00"),
    Sample(.trailingBytes, "hello with a byte too many", .client, .hello, "5449434b 01 00 00 00"),
    Sample(.unknownFlag, "join with flag 2", .client, .join, "02 0161 0162 0000000000000000 00"),
    Sample(
      .invalidText, "join with a room name that is not text", .client, .join, "00 02c328 0162 0000000000000000 00"),
    Sample(.invalidText, "join with a surrogate in the kind", .client, .join, "00 0161 03eda080 0000000000000000 00"),
    Sample(
      .invalidLength, "join with a room name of 513 bytes", .client, .join,
      "00 8104" + filled(513) + "0162 0000000000000000 00"),
    Sample(.truncated, "join with half a schema hash", .client, .join, "00 0161 0162 00000000"),
    Sample(
      .invalidLength, "join with options of 1025 bytes", .client, .join,
      "00 0161 0162 0000000000000000 8108" + filled(1025)),
    Sample(.trailingBytes, "join with a byte too many", .client, .join, "00 0161 0162 0000000000000000 00 00"),
    Sample(.unknownFlag, "event with flag 2", .client, .event, "02 00 10"),
    Sample(.outOfRange, "event with target 3", .client, .event, "00 03 10"),
    Sample(.outOfRange, "event to player 65536", .client, .event, "00 02 808004 10"),
    Sample(.outOfRange, "event with a code of the protocol", .client, .event, "00 00 0f"),
    Sample(.outOfRange, "event with code 65536", .client, .event, "00 00 808004"),
    Sample(.invalidLength, "event with a payload of 1025 bytes", .client, .event, "00 00 10" + filled(1025)),
    Sample(.truncated, "event without code", .client, .event, "00 00"),
    Sample(.valueTooLarge, "call with an id of 33 bits", .client, .call, "8080808010 00"),
    Sample(.outOfRange, "call of method 65536", .client, .call, "00 808004"),
    Sample(.truncated, "call without method", .client, .call, "00"),
    Sample(.invalidLength, "call with a payload of 1025 bytes", .client, .call, "00 00" + filled(1025)),
    Sample(.truncated, "ping without token", .client, .ping, ""),
    Sample(.nonMinimalVarint, "ping with a long token", .client, .ping, "ff00"),
    Sample(.valueTooLarge, "ping with a token of eleven bytes", .client, .ping, "8080808080808080808001"),
    Sample(.trailingBytes, "leave with a body", .client, .leave, "00"),
    Sample(.truncated, "pong without time", .client, .pong, "05"),
  ]

  private static let inputs: [Sample] = [
    Sample(
      .valueTooLarge, "input with a sequence of 33 bits", .client, .input, "8080808010 00", schema: SampleSchema.full),
    Sample(.truncated, "input without its entry", .client, .input, "01 01", schema: SampleSchema.full),
    Sample(
      .outOfRange, "input of a kind beyond the schema", .client, .input, "01 01 02 00 01 00", schema: SampleSchema.full),
    Sample(
      .outOfRange, "input of an id beyond the capacity", .client, .input, "01 01 00 ac02 01 00",
      schema: SampleSchema.full),
    Sample(.outOfRange, "input with mask 0", .client, .input, "01 01 00 00 00", schema: SampleSchema.full),
    Sample(
      .outOfRange, "input with a mask beyond the fields", .client, .input, "01 01 00 00 8008", schema: SampleSchema.full
    ),
    Sample(
      .outOfRange, "input of a value beyond its range", .client, .input, "01 01 00 00 01 04", schema: SampleSchema.full),
    Sample(
      .trailingBytes, "input with a byte too many", .client, .input, "01 01 00 00 01 02 00", schema: SampleSchema.full),
  ]

  private static let fromServer: [Sample] = [
    Sample(.truncated, "ping from the server without token", .server, .ping, ""),
    Sample(.trailingBytes, "pong from the server with a byte too many", .server, .pong, "00 00 00"),
    Sample(
      .invalidLength, "welcome with a ticket of 15 bytes", .server, .welcome, "01 00 01 00 8001 8001 1e 0f" + filled(15)
    ),
    Sample(.truncated, "welcome without ticket", .server, .welcome, "01 00 01 00 8001 8001 1e"),
    Sample(.unknownFlag, "joined with flag 8", .server, .joined, "08 00 00 00 1e 00 00 00 0000000000000000"),
    Sample(.outOfRange, "joined as player 65536", .server, .joined, "00 808004 00 00 1e 00 00 00 0000000000000000"),
    Sample(
      .outOfRange, "joined with a player beyond 65535", .server, .joined,
      "04 00 00 00 1e 00 00 00 0000000000000000 02 ffff03 00"),
    Sample(
      .truncated, "joined with fewer players than counted", .server, .joined,
      "04 00 00 00 1e 00 00 00 0000000000000000 02 00"),
    Sample(.valueTooLarge, "input ack of 33 bits", .server, .inputAck, "8080808010 00"),
    Sample(.truncated, "input ack without the count of dropped inputs", .server, .inputAck, "07"),
    Sample(.valueTooLarge, "input ack of 33 bits of dropped inputs", .server, .inputAck, "07 8080808010 01"),
    Sample(.truncated, "input ack of dropped inputs without what was applied", .server, .inputAck, "07 01"),
    Sample(.inconsistent, "input ack that applied only what came later", .server, .inputAck, "07 01 08"),
    Sample(.trailingBytes, "input ack that dropped nothing and says what was applied", .server, .inputAck, "07 00 07"),
    Sample(.truncated, "reply without status", .server, .reply, "01"),
    Sample(.invalidLength, "reply with a payload of 1025 bytes", .server, .reply, "01 00" + filled(1025)),
    Sample(.unknownFlag, "whisper with flag 4", .server, .whisper, "04 00 10"),
    Sample(.truncated, "whisper without sender", .server, .whisper, "02 00"),
    Sample(.outOfRange, "missed events without an event", .server, .events, "01 00"),
    Sample(.inconsistent, "transient among the missed events", .server, .events, "01 01 00 10 00"),
    Sample(.unknownFlag, "join refused with flag 2", .server, .joinRefused, "01 02 00"),
    Sample(.invalidText, "join refused with bad text", .server, .joinRefused, "01 00 01ff"),
    Sample(.trailingBytes, "left with a body", .server, .left, "00"),
    Sample(.unknownFlag, "goodbye with flag 4", .server, .goodbye, "01 04 00"),
    Sample(.truncated, "goodbye with half a text", .server, .goodbye, "01 00 0461"),
    Sample(.invalidText, "goodbye with an overlong form", .server, .goodbye, "01 00 02c080"),
  ]

  /// Faults of a schema, in the Joined message that carries it.
  private static let schemas: [Sample] = [
    schema(.outOfRange, "schema without kinds", "00"),
    schema(.outOfRange, "schema of 33 kinds", "21"),
    schema(.outOfRange, "kind without fields", "01 016b 01 00"),
    schema(.outOfRange, "kind of capacity 0", "01 016b 00 01 0161 00"),
    schema(.outOfRange, "kind of capacity 65537", "01 016b 818004 01 0161 00"),
    schema(.invalidLength, "kind without a name", "01 00 01 01 0161 00"),
    schema(.invalidLength, "field with a name of 65 bytes", "01 016b 01 01 41" + filled(65) + "00"),
    schema(.inconsistent, "two fields of a name", "01 016b 01 02 0161 00 0161 00"),
    schema(.inconsistent, "two kinds of a name", "02 016b 01 01 0161 00 016b 01 01 0161 00"),
    schema(.unknownType, "field type 10", "01 016b 01 01 0161 0a"),
    schema(.outOfRange, "unsigned of 0 bits", "01 016b 01 01 0161 01 00"),
    schema(.outOfRange, "signed of 33 bits", "01 016b 01 01 0161 02 21"),
    schema(.inconsistent, "fixed with low above high", "01 016b 01 01 0161 03 02 00 000000000000f03f"),
    schema(.outOfRange, "fixed with step 0", "01 016b 01 01 0161 03 00 02 0000000000000000"),
    schema(.outOfRange, "fixed with a step that is no number", "01 016b 01 01 0161 03 00 02 000000000000f87f"),
    schema(.outOfRange, "fixed with an infinite step", "01 016b 01 01 0161 03 00 02 000000000000f07f"),
    schema(.outOfRange, "vector of 5 components", "01 016b 01 01 0161 04 05 00 02 000000000000f03f"),
    schema(.outOfRange, "angle of 1 step", "01 016b 01 01 0161 05 01"),
    schema(.outOfRange, "quaternion of 16 bits", "01 016b 01 01 0161 06 10"),
    schema(.outOfRange, "string of 256 bytes", "01 016b 01 01 0161 07 8002"),
    schema(.outOfRange, "bytes of 0 bytes", "01 016b 01 01 0161 08 00"),
    schema(.trailingBytes, "schema with a byte too many", "01 016b 01 01 0161 00 00"),
    schema(.truncated, "schema that ends in a field", "01 016b 01 02 0161 00"),
  ]

  private static func schema(_ error: WireError.Code, _ name: String, _ hex: String) -> Sample {
    let schema = bytes(hex)
    let length = encodedBytes(bound: 8) { $0.put(varint: schema.count) }
    let head = "02 00 00 00 1e 00 00 00 0000000000000000"
    return Sample(error, name, .server, .joined, head + WireHex.text(length) + WireHex.text(schema))
  }

  private static let frameHeads: [Sample] = [
    frame(.unknownFlag, "frame with flag 8", "08 01 01"),
    frame(.truncated, "frame without span", "00 01"),
    frame(.outOfRange, "frame of span 0", "00 01 00"),
    frame(.inconsistent, "frame of a span longer than its tick", "00 01 02"),
    frame(.inconsistent, "keyframe with events", "03 01 00 01 01 00 10 00"),
    frame(.trailingBytes, "frame with a byte too many", "00 01 01 00"),
    frame(.outOfRange, "frame with an empty events part", "02 01 01 01 00"),
    frame(.unknownFlag, "event with flag 8", "02 01 01 01 01 08 10 00"),
    frame(.inconsistent, "event without sender that is not for its sender", "02 01 01 01 01 04 10 00"),
    frame(.outOfRange, "event from player 65536", "02 01 01 01 01 02 808004 10 00"),
    frame(.invalidLength, "event with a payload of 1025 bytes in a frame", "02 01 01 01 01 00 10 8108" + filled(1025)),
    frame(.truncated, "event with half a payload", "02 01 01 01 01 00 10 0261"),
  ]

  /// Each starts from the empty state of `SampleSchema.full`; `create` makes entity 0 of kind 0.
  private static let sections: [Sample] = [
    frame(.outOfRange, "state without sections", "05 01 00 00"),
    frame(.outOfRange, "section of a kind beyond the schema", "05 01 00 01 12 01 00 00 00"),
    frame(.inconsistent, "section without flags", "05 01 00 01 00"),
    frame(.inconsistent, "sections out of order", "05 01 00 02 0a 01 00 00 00 02 01 00 00 00"),
    frame(.inconsistent, "a kind with two sections", "05 01 00 02 02 01 00 00 00 02 01 00 00 00"),
    frame(.inconsistent, "removed entity that does not exist", "05 01 00 01 01 01 00"),
    frame(.inconsistent, "changed entity that does not exist", "05 01 00 01 04 04 00 00 00 00"),
    frame(.inconsistent, "all entities changed where there is none", "05 01 00 01 04 02 00 00 00"),
    frame(.outOfRange, "created id beyond the capacity", "05 01 00 01 02 01 ac02 00 00"),
    frame(.outOfRange, "owner beyond the players", "05 01 00 01 02 01 00 00 818004"),
    frame(.truncated, "created entity without owner", "05 01 00 01 02 01 00 00"),
    frame(.outOfRange, "empty set of created ids", "05 01 00 01 02 00"),
  ]

  static func frame(_ error: WireError.Code, _ name: String, _ body: String) -> Sample {
    Sample(error, name, .server, .frame, body, schema: SampleSchema.full)
  }
}
