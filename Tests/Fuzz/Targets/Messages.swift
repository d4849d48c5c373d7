import WireFormat

/// Cuts the bytes into messages twice, once whole and once in chunks that the input chooses; decodes each message and
/// encodes it again.
func messageFaults(_ bytes: [UInt8]) -> [String] {
  var input = FuzzInput(bytes)
  let head = input.byte()
  let isFromClient = head & 1 == 0
  let limit = [
    48, WireLimits.clientHandshakeMessageBytes, WireLimits.clientMessageBytes, WireLimits.serverMessageBytes,
  ]
  let chunkSizes = (0..<(Int(head >> 4) % 4)).map { _ in 1 + input.below(64) }
  let stream = input.rest()

  let whole = Cutting(stream, chunkSizes: [], limit: limit[Int(head >> 1) % 4])
  let pieces = Cutting(stream, chunkSizes: chunkSizes, limit: limit[Int(head >> 1) % 4])
  var faults = whole.faults + pieces.faults
  if whole.messages != pieces.messages || whole.failure != pieces.failure {
    faults.append(
      "chunks of \(chunkSizes) bytes give \(pieces.messages.count) messages, \(String(describing: pieces.failure)); "
        + "the whole gives \(whole.messages.count), \(String(describing: whole.failure))")
  }
  for message in whole.messages {
    guard let type = MessageType(rawValue: message[0]) else { continue }
    let body = Array(message.dropFirst())
    guard let again = try? isFromClient ? reencodedFromClient(type, body.span) : reencodedFromServer(type, body.span)
    else { continue }
    if again != framed(message) { faults.append("\(type) \(message) is encoded as \(again)") }
  }
  return faults
}

private func framed(_ message: [UInt8]) -> [UInt8] {
  encodedBytes(bound: message.count + messageOverhead) { $0.put(bytes: message.span) }
}

/// What the assembler makes of a stream.
private struct Cutting {
  /// Type and body.
  private(set) var messages: [[UInt8]] = []
  private(set) var failure: MessageAssembler.Failure?
  private(set) var faults: [String] = []

  init(_ stream: [UInt8], chunkSizes: [Int], limit: Int) {
    var assembler = MessageAssembler(limit: limit)
    var at = 0
    var turn = 0
    while at < stream.count, failure == nil {
      let size = chunkSizes.isEmpty ? stream.count : chunkSizes[turn % chunkSizes.count]
      let end = min(at + size, stream.count)
      let chunk = stream.span.extracting(at..<end)
      do throws(MessageAssembler.Failure) {
        let used = try assembler.feed(chunk) { type, body in
          messages.append([type] + body.array(0..<body.count))
          return .proceed
        }
        if used != chunk.count { faults.append("\(used) of \(chunk.count) bytes were used without a stop") }
      } catch {
        failure = error
      }
      if assembler.keptBytes >= limit + WireLimits.lengthPrefixBytes {
        faults.append("\(assembler.keptBytes) bytes are kept with a limit of \(limit)")
      }
      at = end
      turn += 1
    }
  }
}

/// The message after decoding and encoding; nil for what has no encoder.
///
/// - Throws: what decoding throws.
private func reencodedFromClient(_ type: MessageType, _ body: Span<UInt8>) throws -> [UInt8]? {
  let bound = body.count + 256
  switch type {
  case .hello:
    let hello = try Hello(body)
    return encodedBytes(bound: hello.bound + messageOverhead) { hello.encode(into: &$0) }
  case .join:
    let join = try Join(body)
    return encodedBytes(bound: join.bound + messageOverhead) { join.encode(into: &$0) }
  case .event:
    let event = try ClientEvent(body)
    let payload = body.array(event.payload)
    return encodedBytes(bound: bound) {
      ClientEvent.encode(
        isReliable: event.isReliable, target: event.target, code: event.code, payload: payload.span, into: &$0)
    }
  case .call:
    let call = try Call(body)
    let payload = body.array(call.payload)
    return encodedBytes(bound: bound) {
      Call.encode(id: call.id, method: call.method, payload: payload.span, into: &$0)
    }
  case .input: return try reencodedInput(body)
  case .ping, .pong: return try reencodedSign(type, body)
  default: return nil
  }
}

private func reencodedFromServer(_ type: MessageType, _ body: Span<UInt8>) throws -> [UInt8]? {
  let bound = body.count + 256
  switch type {
  case .welcome:
    let welcome = try Welcome(body)
    return encodedBytes(bound: Welcome.bound + messageOverhead) { welcome.encode(into: &$0) }
  case .joined:
    let joined = try Joined(body)
    if let schema = joined.schema { _ = try? Schema(decoding: schema.span) }
    return encodedBytes(bound: joined.bound + messageOverhead) { joined.encode(into: &$0) }
  case .inputAck:
    let ack = try InputAck(body)
    return encodedBytes(bound: InputAck.bound) { ack.encode(into: &$0) }
  case .reply:
    let reply = try Reply(body)
    // A newer server may know more statuses than this code can say.
    guard let status = ReplyStatus(rawValue: reply.status) else { return nil }
    let payload = body.array(reply.payload)
    return encodedBytes(bound: bound) { Reply.encode(id: reply.id, status: status, payload: payload.span, into: &$0) }
  case .whisper:
    let whisper = try Whisper(body)
    let payload = body.array(whisper.payload)
    return encodedBytes(bound: bound) {
      Whisper.encode(
        isReliable: whisper.isReliable, number: whisper.number, sender: whisper.sender, code: whisper.code,
        payload: payload.span, into: &$0)
    }
  case .events:
    return encodedMessage(type, reencodedEvents(try MissedEvents.block(body), body))
  case .frame:
    if let events = try FrameHead(body).events { _ = reencodedEvents(events, body) }
    return nil
  case .joinRefused:
    let refused = try JoinRefused(body)
    return encodedBytes(bound: refused.bound + messageOverhead) { refused.encode(into: &$0) }
  case .goodbye:
    let goodbye = try Goodbye(body)
    return encodedBytes(bound: Goodbye.bound + messageOverhead) { goodbye.encode(into: &$0) }
  case .ping, .pong: return try reencodedSign(type, body)
  default: return nil
  }
}

private func reencodedSign(_ type: MessageType, _ body: Span<UInt8>) throws -> [UInt8] {
  if type == .ping {
    let token = try Ping.token(body)
    return encodedBytes(bound: 32) { Ping.encode(token: token, into: &$0) }
  }
  let pong = try Pong(body)
  return encodedBytes(bound: 32) { pong.encode(into: &$0) }
}

private func encodedMessage(_ type: MessageType, _ body: [UInt8]) -> [UInt8] {
  encodedBytes(bound: body.count + messageOverhead) { out in out.put(type, bound: body.count) { $0.put(raw: body.span) }
  }
}

/// The block's bytes, from the numbers and payloads that walking it gives.
private func reencodedEvents(_ block: EventBlock, _ body: Span<UInt8>) -> [UInt8] {
  var walk = block
  var events: [UInt8] = encodedBytes(bound: 20) { out in
    out.put(varint: block.first)
    out.put(varint: block.count)
  }
  while let event = walk.next(body) {
    let payload = body.array(event.payload)
    events += encodedBytes(bound: RoomEvent.overhead + payload.count) {
      RoomEvent.encode(
        isReliable: event.isReliable, sender: event.sender, isForSender: event.isForSender, code: event.code,
        payload: payload.span, into: &$0)
    }
  }
  return events
}

/// An input for the sample schema: its values pass through tables.
private func reencodedInput(_ body: Span<UInt8>) throws -> [UInt8] {
  let schema = try SampleSchema.make()
  var scratch = InputReader.scratch(schema)
  var reader = try InputReader(body)
  var tables = schema.layouts.map { EntityTable($0, rows: WireLimits.inputEntries) }
  var entries: [(entity: EntityID, mask: UInt64, row: Int)] = []
  while let entry = try reader.next(body, into: &scratch, schema) {
    let kind = Int(entry.entity.kind.rawValue)
    copyRow(scratch[kind], 0, to: &tables[kind], entries.count)
    entries.append((entry.entity, entry.mask, entries.count))
  }
  let values = tables
  return encodedBytes(bound: InputWriter.bound(entries, from: values)) {
    InputWriter.encode(sequence: reader.sequence, entries, from: values, into: &$0)
  }
}

private func copyRow(_ source: EntityTable, _ from: Int, to target: inout EntityTable, _ row: Int) {
  for field in source.layout.fields {
    for column in 0..<field.columnCount {
      target.setWord(field.firstColumn + column, row, source.word(field.firstColumn + column, from))
    }
    if field.columnCount == 0 { source.withBlob(field, from) { target.setBlob(field, row, $0) } }
  }
}
