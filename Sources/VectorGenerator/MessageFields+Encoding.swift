package import WireFormat

extension MessageFields {
  /// Encodes a whole message, length included, from the `fields` of a vector.
  package static func encode(
    _ type: MessageType, from sender: Sender, _ fields: JSONValue, _ schema: Schema?
  ) throws -> [UInt8] {
    switch (type, sender) {
    case (.hello, .client): written(by: try hello(fields).encode)
    case (.join, .client): written(by: try join(fields).encode)
    case (.input, .client): try input(fields, schema)
    case (.event, .client): try event(fields)
    case (.call, .client): try call(fields)
    case (.leave, .client), (.left, .server): written { $0.put(empty: type) }
    case (.ping, _): try ping(fields)
    case (.pong, _):
      written(by: Pong(token: try fields.uint("token"), timeMicroseconds: try fields.uint("time")).encode)
    case (.welcome, .server): written(by: try welcome(fields).encode)
    case (.joined, .server): written(by: try joined(fields).encode)
    case (.frame, .server): try frame(fields)
    case (.inputAck, .server): try inputAck(fields)
    case (.reply, .server): try reply(fields)
    case (.whisper, .server): try whisper(fields)
    case (.events, .server): try events(fields)
    case (.joinRefused, .server): written(by: try refused(fields).encode)
    case (.goodbye, .server): written(by: try goodbye(fields).encode)
    default: throw VectorFault("the \(sender.rawValue) sends no \(type)")
    }
  }

  /// Longer than any message of the vectors.
  private static let mostBytes = 64 * 1024

  private static func written(by encode: (inout OutputRawSpan) -> Void) -> [UInt8] {
    encodedBytes(bound: mostBytes, encode)
  }

  // MARK: From the client

  private static func hello(_ fields: JSONValue) throws -> Hello {
    let credential: Credential
    switch try fields.uint("credential") {
    case 0: credential = .none
    case 1: credential = .token(try fields.bytes("tokenHex"))
    default:
      credential = .resume(
        ResumePoint(
          ticket: try fields.bytes("ticketHex"), lastTick: Tick(UInt32(try fields.uint("lastTick"))),
          lastEvent: try fields.uint("lastEvent"), lastWhisper: try fields.uint("lastWhisper")))
    }
    return Hello(
      version: UInt32(try fields.uint("version")), capabilities: try fields.uint("capabilities"),
      credential: credential)
  }

  private static func join(_ fields: JSONValue) throws -> Join {
    Join(
      room: try fields.text("room"), roomKind: try fields.text("roomKind"), schemaHash: try fields.uint("schemaHash"),
      strictSchema: try fields.uint("flags") == 1, options: try fields.bytes("optionsHex"))
  }

  private static func input(_ fields: JSONValue, _ schema: Schema?) throws -> [UInt8] {
    guard let schema else { throw VectorFault("an Input vector needs schemaHex") }
    // One row an entry, so that two entries of a kind don't overwrite each other.
    var entries: [(entity: EntityID, mask: UInt64, row: Int)] = []
    let items = try fields.list("entries")
    var tables = schema.layouts.map { EntityTable($0, rows: max(items.count, 1)) }
    for (row, item) in items.enumerated() {
      let kind = Int(try item.uint("kind"))
      let mask = try item.uint("mask")
      tables[kind].insert(row, generation: 0, owner: 0)
      var values = try item.list("values")[...]
      for (index, field) in schema.layouts[kind].fields.enumerated() where mask & (1 << UInt64(index)) != 0 {
        guard let value = values.popFirst() else { throw VectorFault("fewer values than mask bits") }
        try EntityValues.store(value, field, of: row, in: &tables[kind])
      }
      entries.append((EntityID(kind: KindIndex(UInt8(kind)), id: UInt16(try item.uint("id"))), mask, row))
    }
    let sequence = UInt32(try fields.uint("sequence"))
    return written { InputWriter.encode(sequence: sequence, entries, from: tables, into: &$0) }
  }

  private static func event(_ fields: JSONValue) throws -> [UInt8] {
    let target: EventTarget
    switch try fields.uint("target") {
    case 0: target = .all
    case 1: target = .others
    default: target = .one(PlayerID(rawValue: UInt16(try fields.uint("player"))))
    }
    let isReliable = try fields.uint("flags") == 1
    let code = UInt16(try fields.uint("code"))
    let payload = try fields.bytes("payloadHex")
    return written {
      ClientEvent.encode(isReliable: isReliable, target: target, code: code, payload: payload.span, into: &$0)
    }
  }

  private static func call(_ fields: JSONValue) throws -> [UInt8] {
    let id = UInt32(try fields.uint("id"))
    let method = UInt16(try fields.uint("method"))
    let payload = try fields.bytes("payloadHex")
    return written { Call.encode(id: id, method: method, payload: payload.span, into: &$0) }
  }

  private static func ping(_ fields: JSONValue) throws -> [UInt8] {
    let token = try fields.uint("token")
    return written { Ping.encode(token: token, into: &$0) }
  }

  // MARK: From the server

  private static func welcome(_ fields: JSONValue) throws -> Welcome {
    var welcome = Welcome(
      session: try fields.uint("session"), timeMicroseconds: try fields.uint("time"),
      maxClientMessage: Int(try fields.uint("maxClientMessage")),
      maxServerMessage: Int(try fields.uint("maxServerMessage")), graceSeconds: Int(try fields.uint("graceSeconds")),
      ticket: try fields.bytes("ticketHex"))
    welcome.version = UInt32(try fields.uint("version"))
    welcome.capabilities = try fields.uint("capabilities")
    return welcome
  }

  private static func joined(_ fields: JSONValue) throws -> Joined {
    let flags = try fields.uint("flags")
    var players: [PlayerID]?
    if flags & 4 != 0 {
      players = try fields.list("players").map { item in
        guard case .int(let player) = item else { throw VectorFault("no player: \(item)") }
        return PlayerID(rawValue: UInt16(player))
      }
    }
    return Joined(
      isResumed: flags & 1 != 0, player: PlayerID(rawValue: UInt16(try fields.uint("player"))),
      generation: UInt32(try fields.uint("generation")), tick: Tick(UInt32(try fields.uint("tick"))),
      tickRate: UInt32(try fields.uint("tickRate")), startMicroseconds: try fields.uint("start"),
      lastEvent: try fields.uint("lastEvent"), lastWhisper: try fields.uint("lastWhisper"),
      schemaHash: try fields.uint("schemaHash"), schema: flags & 2 != 0 ? try fields.bytes("schemaHex") : nil,
      players: players)
  }

  private static func frame(_ fields: JSONValue) throws -> [UInt8] {
    let flags = UInt8(try fields.uint("flags"))
    var head = FrameHead(isKeyframe: flags & 1 != 0, tick: UInt32(try fields.uint("tick")))
    head.spanOrLastEvent = try fields.uint(head.isKeyframe ? "lastEvent" : "span")
    let events = flags & 2 != 0 ? try fields.list("events").map { try FrameEvent($0) } : []
    let first = flags & 2 != 0 ? try fields.uint("firstReliable") : 0
    let state = flags & 4 != 0 ? try fields.bytes("stateHex") : nil
    return FrameMessage.bytes(head, firstReliable: first, events, state: state)
  }

  private static func inputAck(_ fields: JSONValue) throws -> [UInt8] {
    let dropped = UInt32(try fields.uint("dropped"))
    let ack = InputAck(
      sequence: UInt32(try fields.uint("sequence")), dropped: dropped,
      firstApplied: dropped > 0 ? UInt32(try fields.uint("firstApplied")) : 0)
    return written { ack.encode(into: &$0) }
  }

  private static func reply(_ fields: JSONValue) throws -> [UInt8] {
    let id = UInt32(try fields.uint("id"))
    let payload = try fields.bytes("payloadHex")
    guard let status = ReplyStatus(rawValue: UInt16(try fields.uint("status"))) else {
      throw VectorFault("no reply status: \(fields)")
    }
    return written { Reply.encode(id: id, status: status, payload: payload.span, into: &$0) }
  }

  private static func whisper(_ fields: JSONValue) throws -> [UInt8] {
    let flags = try fields.uint("flags")
    let number = try fields.uint("number")
    let sender = flags & 2 != 0 ? PlayerID(rawValue: UInt16(try fields.uint("sender"))) : nil
    let code = UInt16(try fields.uint("code"))
    let payload = try fields.bytes("payloadHex")
    return written {
      Whisper.encode(
        isReliable: flags & 1 != 0, number: number, sender: sender, code: code, payload: payload.span, into: &$0)
    }
  }

  private static func events(_ fields: JSONValue) throws -> [UInt8] {
    let events = try fields.list("events").map { try FrameEvent($0) }
    let first = try fields.uint("first")
    return written { out in
      out.put(.events, bound: FrameMessage.bound(events)) {
        FrameMessage.encode(firstReliable: first, events, into: &$0)
      }
    }
  }

  private static func refused(_ fields: JSONValue) throws -> JoinRefused {
    var refused = JoinRefused(.rejected, text: try fields.text("text"))
    refused.code = UInt16(try fields.uint("refusal"))
    if fields["retryAfterMilliseconds"] != nil {
      refused.retryAfterMilliseconds = UInt32(try fields.uint("retryAfterMilliseconds"))
    }
    return refused
  }

  private static func goodbye(_ fields: JSONValue) throws -> Goodbye {
    var goodbye = Goodbye(.internalError, text: try fields.text("text"))
    goodbye.code = UInt16(try fields.uint("reason"))
    if fields["retryAfterMilliseconds"] != nil {
      goodbye.retryAfterMilliseconds = UInt32(try fields.uint("retryAfterMilliseconds"))
    }
    if fields["address"] != nil { goodbye.address = try fields.text("address") }
    return goodbye
  }
}
