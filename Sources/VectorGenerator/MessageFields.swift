package import WireFormat

/// Which side sends a message.
package enum Sender: String, Sendable {
  case client, server
}

/// The body of a message as the `fields` of a vector: the names of `docs/protocol.md` section 6.
package enum MessageFields {
  /// Decodes a body with the codec under test.
  package static func decode(
    _ type: MessageType, from sender: Sender, _ body: Span<UInt8>, _ schema: Schema?
  ) throws -> JSONValue {
    switch (type, sender) {
    case (.hello, .client): try decode(try Hello(body))
    case (.join, .client): decode(try Join(body))
    case (.input, .client): try decodeInput(body, schema)
    case (.event, .client): decode(try ClientEvent(body), body)
    case (.call, .client): decode(try Call(body), body)
    case (.leave, .client), (.left, .server): try decodeEmpty(body)
    case (.ping, _): ["token": .integer(try Ping.token(body))]
    case (.pong, _): decode(try Pong(body))
    case (.welcome, .server): decode(try Welcome(body))
    case (.joined, .server): decode(try Joined(body))
    case (.frame, .server): try decodeFrame(body)
    case (.inputAck, .server): try inputAck(body)
    case (.reply, .server): decode(try Reply(body), body)
    case (.whisper, .server): decode(try Whisper(body), body)
    case (.events, .server): decodeEvents(try MissedEvents.block(body), body, first: "first")
    case (.joinRefused, .server): decode(try JoinRefused(body))
    case (.goodbye, .server): decode(try Goodbye(body))
    default: throw VectorFault("the \(sender.rawValue) sends no \(type)")
    }
  }

  private static func inputAck(_ body: Span<UInt8>) throws -> JSONValue {
    let ack = try InputAck(body)
    var fields: [String: JSONValue] = [
      "sequence": .integer(UInt64(ack.sequence)), "dropped": .integer(UInt64(ack.dropped)),
    ]
    if ack.dropped > 0 { fields["firstApplied"] = .integer(UInt64(ack.firstApplied)) }
    return .object(fields)
  }

  private static func decodeEmpty(_ body: Span<UInt8>) throws -> JSONValue {
    try body.end(0)
    return [:]
  }

  private static func decode(_ hello: Hello) throws -> JSONValue {
    var fields: [String: JSONValue] = [
      "version": .integer(UInt64(hello.version)), "capabilities": .integer(hello.capabilities),
    ]
    switch hello.credential {
    case .none: fields["credential"] = 0
    case .token(let token):
      fields["credential"] = 1
      fields["tokenHex"] = .hex(token)
    case .resume(let point):
      fields["credential"] = 2
      fields["ticketHex"] = .hex(point.ticket)
      fields["lastTick"] = .integer(UInt64(point.lastTick.rawValue))
      fields["lastEvent"] = .integer(point.lastEvent)
      fields["lastWhisper"] = .integer(point.lastWhisper)
    }
    return .object(fields)
  }

  private static func decode(_ join: Join) -> JSONValue {
    [
      "flags": join.strictSchema ? 1 : 0, "room": .string(join.room), "roomKind": .string(join.roomKind),
      "schemaHash": .integer(join.schemaHash), "optionsHex": .hex(join.options),
    ]
  }

  private static func decodeInput(_ body: Span<UInt8>, _ schema: Schema?) throws -> JSONValue {
    guard let schema else { throw VectorFault("an Input vector needs schemaHex") }
    var reader = try InputReader(body)
    var scratch = InputReader.scratch(schema)
    var entries: [JSONValue] = []
    while let entry = try reader.next(body, into: &scratch, schema) {
      let table = scratch[Int(entry.entity.kind.rawValue)]
      let values = EntityValues.items(of: 0, mask: entry.mask, in: table)
      entries.append([
        "kind": .int(Int(entry.entity.kind.rawValue)), "id": .int(Int(entry.entity.id)), "mask": .integer(entry.mask),
        "values": .array(values),
      ])
    }
    return ["sequence": .integer(UInt64(reader.sequence)), "entries": .array(entries)]
  }

  private static func decode(_ event: ClientEvent, _ body: Span<UInt8>) -> JSONValue {
    var fields: [String: JSONValue] = [
      "flags": event.isReliable ? 1 : 0, "code": .int(Int(event.code)), "payloadHex": .hex(body.array(event.payload)),
    ]
    switch event.target {
    case .all: fields["target"] = 0
    case .others: fields["target"] = 1
    case .one(let player):
      fields["target"] = 2
      fields["player"] = .int(Int(player.rawValue))
    }
    return .object(fields)
  }

  private static func decode(_ call: Call, _ body: Span<UInt8>) -> JSONValue {
    [
      "id": .integer(UInt64(call.id)), "method": .int(Int(call.method)),
      "payloadHex": .hex(body.array(call.payload)),
    ]
  }

  private static func decode(_ pong: Pong) -> JSONValue {
    ["token": .integer(pong.token), "time": .integer(pong.timeMicroseconds)]
  }

  private static func decode(_ welcome: Welcome) -> JSONValue {
    [
      "version": .integer(UInt64(welcome.version)), "capabilities": .integer(welcome.capabilities),
      "session": .integer(welcome.session), "time": .integer(welcome.timeMicroseconds),
      "maxClientMessage": .integer(UInt64(welcome.maxClientMessage)),
      "maxServerMessage": .integer(UInt64(welcome.maxServerMessage)),
      "graceSeconds": .integer(UInt64(welcome.graceSeconds)), "ticketHex": .hex(welcome.ticket),
    ]
  }

  private static func decode(_ joined: Joined) -> JSONValue {
    var fields: [String: JSONValue] = [
      "player": .int(Int(joined.player.rawValue)), "generation": .integer(UInt64(joined.generation)),
      "tick": .integer(UInt64(joined.tick.rawValue)), "tickRate": .integer(UInt64(joined.tickRate)),
      "start": .integer(joined.startMicroseconds), "lastEvent": .integer(joined.lastEvent),
      "lastWhisper": .integer(joined.lastWhisper), "schemaHash": .integer(joined.schemaHash),
    ]
    fields["schemaHex"] = joined.schema.map { .hex($0) }
    fields["players"] = joined.players.map { .array($0.map { .int(Int($0.rawValue)) }) }
    fields["flags"] = .int(
      (joined.isResumed ? 1 : 0) | (joined.schema == nil ? 0 : 2) | (joined.players == nil ? 0 : 4))
    return .object(fields)
  }

  /// The head, the events and the undecoded sections: what the sections mean is for the vectors of kind `frames`.
  private static func decodeFrame(_ body: Span<UInt8>) throws -> JSONValue {
    var at = 0
    let flags = try body.flags(&at, known: 7, "flags")
    var fields: [String: JSONValue] = ["flags": .int(Int(flags))]
    fields["tick"] = .integer(UInt64(try body.varint32(&at, "tick")))
    if flags & 1 != 0 {
      fields["lastEvent"] = .integer(try body.varint(&at, "lastEvent"))
    } else {
      fields["span"] = .integer(UInt64(try body.varint32(&at, "span")))
    }
    if flags & 2 != 0 {
      let block = try EventBlock(validating: body, at: &at)
      if case .object(let events) = decodeEvents(block, body, first: "firstReliable") {
        fields.merge(events) { old, _ in old }
      }
    }
    if flags & 4 != 0 { fields["stateHex"] = .hex(body.array(at..<body.count)) } else { try body.end(at) }
    return .object(fields)
  }

  private static func decodeEvents(_ block: EventBlock, _ body: Span<UInt8>, first: String) -> JSONValue {
    var rest = block
    var events: [JSONValue] = []
    while let event = rest.next(body) {
      var fields: [String: JSONValue] = [
        "flags": .int((event.isReliable ? 1 : 0) | (event.sender == nil ? 0 : 2) | (event.isForSender ? 0 : 4)),
        "code": .int(Int(event.code)), "payloadHex": .hex(body.array(event.payload)),
      ]
      fields["sender"] = event.sender.map { .int(Int($0.rawValue)) }
      events.append(.object(fields))
    }
    return [first: .integer(block.first), "events": .array(events)]
  }

  private static func decode(_ reply: Reply, _ body: Span<UInt8>) -> JSONValue {
    [
      "id": .integer(UInt64(reply.id)), "status": .int(Int(reply.status)),
      "payloadHex": .hex(body.array(reply.payload)),
    ]
  }

  private static func decode(_ whisper: Whisper, _ body: Span<UInt8>) -> JSONValue {
    var fields: [String: JSONValue] = [
      "flags": .int((whisper.isReliable ? 1 : 0) | (whisper.sender == nil ? 0 : 2)),
      "number": .integer(whisper.number), "code": .int(Int(whisper.code)),
      "payloadHex": .hex(body.array(whisper.payload)),
    ]
    fields["sender"] = whisper.sender.map { .int(Int($0.rawValue)) }
    return .object(fields)
  }

  private static func decode(_ refused: JoinRefused) -> JSONValue {
    var fields: [String: JSONValue] = ["refusal": .int(Int(refused.code)), "text": .string(refused.text)]
    fields["flags"] = refused.retryAfterMilliseconds == nil ? 0 : 1
    fields["retryAfterMilliseconds"] = refused.retryAfterMilliseconds.map { .integer(UInt64($0)) }
    return .object(fields)
  }

  private static func decode(_ goodbye: Goodbye) -> JSONValue {
    var fields: [String: JSONValue] = ["reason": .int(Int(goodbye.code)), "text": .string(goodbye.text)]
    fields["flags"] = .int((goodbye.retryAfterMilliseconds == nil ? 0 : 1) | (goodbye.address == nil ? 0 : 2))
    fields["retryAfterMilliseconds"] = goodbye.retryAfterMilliseconds.map { .integer(UInt64($0)) }
    fields["address"] = goodbye.address.map { .string($0) }
    return .object(fields)
  }
}
