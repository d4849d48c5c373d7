/// The answer to a Hello.
package struct Welcome: Equatable, Sendable {
  package var version: UInt32
  package var capabilities: UInt64
  package var session: UInt64
  package var timeMicroseconds: UInt64
  package var maxClientMessage: UInt32
  package var maxServerMessage: UInt32
  package var graceSeconds: UInt32
  package var ticket: [UInt8]

  package init(
    session: UInt64, timeMicroseconds: UInt64, maxClientMessage: Int, maxServerMessage: Int, graceSeconds: Int,
    ticket: [UInt8]
  ) {
    version = WireLimits.protocolVersion
    capabilities = 0
    self.session = session
    self.timeMicroseconds = timeMicroseconds
    self.maxClientMessage = UInt32(maxClientMessage)
    self.maxServerMessage = UInt32(maxServerMessage)
    self.graceSeconds = UInt32(graceSeconds)
    self.ticket = ticket
  }

  package init(_ body: Span<UInt8>) throws(WireError) {
    var at = 0
    version = try body.varint32(&at, "version")
    capabilities = try body.varint(&at, "capabilities")
    session = try body.varint(&at, "session")
    timeMicroseconds = try body.varint(&at, "time")
    maxClientMessage = try body.varint32(&at, "maxClientMessage")
    maxServerMessage = try body.varint32(&at, "maxServerMessage")
    graceSeconds = try body.varint32(&at, "graceSeconds")
    let start = at
    let range = try body.bytes(&at, atMost: WireLimits.ticketBytes.upperBound, "ticket")
    guard WireLimits.ticketBytes.contains(range.count) else { throw WireError(.invalidLength, at: start, "ticket") }
    ticket = body.array(range)
    try body.end(at)
  }

  package func encode(into out: inout OutputRawSpan) {
    out.put(.welcome, bound: Self.bound) { out in
      out.put(varint: UInt64(version))
      out.put(varint: capabilities)
      out.put(varint: session)
      out.put(varint: timeMicroseconds)
      out.put(varint: UInt64(maxClientMessage))
      out.put(varint: UInt64(maxServerMessage))
      out.put(varint: UInt64(graceSeconds))
      out.put(bytes: ticket.span)
    }
  }

  package static let bound = 128
}

/// The answer to a Join, or to a Hello that resumed a session.
package struct Joined: Equatable, Sendable {
  package var isResumed: Bool
  package var player: PlayerID
  package var generation: UInt32
  package var tick: Tick
  /// Hertz.
  package var tickRate: UInt32
  /// Server clock at tick 0.
  package var startMicroseconds: UInt64
  package var lastEvent: UInt64
  package var lastWhisper: UInt64
  package var schemaHash: UInt64
  /// The encoded schema, when the client has another one or none.
  package var schema: [UInt8]?
  /// The players in the room, ascending; absent when resumed.
  package var players: [PlayerID]?

  package init(
    isResumed: Bool, player: PlayerID, generation: UInt32, tick: Tick, tickRate: UInt32, startMicroseconds: UInt64,
    lastEvent: UInt64, lastWhisper: UInt64, schemaHash: UInt64, schema: [UInt8]?, players: [PlayerID]?
  ) {
    self.isResumed = isResumed
    self.player = player
    self.generation = generation
    self.tick = tick
    self.tickRate = tickRate
    self.startMicroseconds = startMicroseconds
    self.lastEvent = lastEvent
    self.lastWhisper = lastWhisper
    self.schemaHash = schemaHash
    self.schema = schema
    self.players = players
  }

  package init(_ body: Span<UInt8>) throws(WireError) {
    var at = 0
    let flags = try body.flags(&at, known: 7, "flags")
    isResumed = flags & 1 != 0
    player = PlayerID(rawValue: try body.varint16(&at, "player"))
    generation = try body.varint32(&at, "generation")
    tick = Tick(try body.varint32(&at, "tick"))
    let start = at
    tickRate = try body.varint32(&at, "tickRate")
    guard tickRate > 0 else { throw WireError(.outOfRange, at: start, "tickRate") }
    startMicroseconds = try body.varint(&at, "start")
    lastEvent = try body.varint(&at, "lastEvent")
    lastWhisper = try body.varint(&at, "lastWhisper")
    schemaHash = try body.littleEndian64(&at, "schemaHash")
    schema = flags & 2 != 0 ? body.array(try body.bytes(&at, atMost: WireLimits.schemaBytes, "schema")) : nil
    players = flags & 4 != 0 ? try Self.players(body, &at) : nil
    try body.end(at)
  }

  private static func players(_ body: Span<UInt8>, _ at: inout Int) throws(WireError) -> [PlayerID] {
    let start = at
    let count = try body.varint(&at, "players")
    guard count <= UInt64(WireLimits.players) else { throw WireError(.outOfRange, at: start, "players") }
    guard count <= UInt64(body.count - at) else { throw WireError(.truncated, at: body.count, "players") }
    var players: [PlayerID] = []
    var next: UInt64 = 0
    for _ in 0..<count {
      let start = at
      let player = next + UInt64(try body.varint32(&at, "players"))
      guard player < UInt64(WireLimits.players) else { throw WireError(.outOfRange, at: start, "players") }
      players.append(PlayerID(rawValue: UInt16(player)))
      next = player + 1
    }
    return players
  }

  package func encode(into out: inout OutputRawSpan) {
    out.put(.joined, bound: bound) { out in
      out.put(byte: (isResumed ? 1 : 0) | (schema == nil ? 0 : 2) | (players == nil ? 0 : 4))
      out.put(varint: UInt64(player.rawValue))
      out.put(varint: UInt64(generation))
      out.put(varint: UInt64(tick.rawValue))
      out.put(varint: UInt64(tickRate))
      out.put(varint: startMicroseconds)
      out.put(varint: lastEvent)
      out.put(varint: lastWhisper)
      out.put(littleEndian: schemaHash)
      if let schema { out.put(bytes: schema.span) }
      guard let players else { return }
      out.put(varint: players.count)
      var next = 0
      for player in players {
        out.put(varint: Int(player.rawValue) - next)
        next = Int(player.rawValue) + 1
      }
    }
  }

  package var bound: Int { Self.bound(schemaBytes: schema?.count ?? 0, players: players?.count ?? 0) }

  package static func bound(schemaBytes: Int, players: Int) -> Int { 96 + schemaBytes + players * 3 }
}

/// A refused Join.
package struct JoinRefused: Equatable, Sendable {
  /// The code as sent; a newer server may know more than ``JoinRefusal``.
  package var code: UInt16
  package var retryAfterMilliseconds: UInt32?
  package var text: String

  package init(_ refusal: JoinRefusal, retryAfterMilliseconds: UInt32? = nil, text: String) {
    code = refusal.rawValue
    self.retryAfterMilliseconds = retryAfterMilliseconds
    self.text = text
  }

  package init(_ body: Span<UInt8>) throws(WireError) {
    var at = 0
    code = try body.varint16(&at, "refusal")
    let flags = try body.flags(&at, known: 1, "flags")
    retryAfterMilliseconds = flags & 1 != 0 ? try body.varint32(&at, "retryAfterMilliseconds") : nil
    text = try body.string(&at, lengths: 0...WireLimits.textBytes, "text")
    try body.end(at)
  }

  package func encode(into out: inout OutputRawSpan) {
    out.put(.joinRefused, bound: bound) { out in
      out.put(varint: UInt64(code))
      out.put(byte: retryAfterMilliseconds == nil ? 0 : 1)
      if let retryAfterMilliseconds { out.put(varint: UInt64(retryAfterMilliseconds)) }
      out.put(string: clipped(text))
    }
  }

  package var bound: Int { 16 + WireLimits.textBytes + 4 }
}

/// The server's last word.
package struct Goodbye: Equatable, Sendable {
  /// The code as sent; a newer server may know more than ``CloseReason``.
  package var code: UInt16
  package var retryAfterMilliseconds: UInt32?
  package var address: String?
  package var text: String

  package init(_ reason: CloseReason, retryAfterMilliseconds: UInt32? = nil, address: String? = nil, text: String) {
    code = reason.rawValue
    self.retryAfterMilliseconds = retryAfterMilliseconds
    self.address = address
    self.text = text
  }

  package init(_ body: Span<UInt8>) throws(WireError) {
    var at = 0
    code = try body.varint16(&at, "reason")
    let flags = try body.flags(&at, known: 3, "flags")
    retryAfterMilliseconds = flags & 1 != 0 ? try body.varint32(&at, "retryAfterMilliseconds") : nil
    address = flags & 2 != 0 ? try body.string(&at, lengths: 0...WireLimits.textBytes, "address") : nil
    text = try body.string(&at, lengths: 0...WireLimits.textBytes, "text")
    try body.end(at)
  }

  package func encode(into out: inout OutputRawSpan) {
    out.put(.goodbye, bound: Self.bound) { out in
      out.put(varint: UInt64(code))
      out.put(byte: (retryAfterMilliseconds == nil ? 0 : 1) | (address == nil ? 0 : 2))
      if let retryAfterMilliseconds { out.put(varint: UInt64(retryAfterMilliseconds)) }
      if let address { out.put(string: clipped(address)) }
      out.put(string: clipped(text))
    }
  }

  package static let bound = 24 + 2 * (WireLimits.textBytes + 4)
}

/// What became of a member's inputs, as of the last frame.
package struct InputAck: Equatable, Sendable {
  /// The last input that the room has applied.
  package var sequence: UInt32
  /// Inputs of this seat that were left out so far, because later ones had come by their tick.
  package var dropped: UInt32
  /// The lowest sequence from which on all inputs up to ``sequence`` were applied; 0 when none was ever dropped.
  package var firstApplied: UInt32

  package init(sequence: UInt32, dropped: UInt32 = 0, firstApplied: UInt32 = 0) {
    self.sequence = sequence
    self.dropped = dropped
    self.firstApplied = dropped > 0 ? firstApplied : 0
  }

  package init(_ body: Span<UInt8>) throws(WireError) {
    var at = 0
    sequence = try body.varint32(&at, "sequence")
    dropped = try body.varint32(&at, "dropped")
    firstApplied = 0
    if dropped > 0 {
      let start = at
      firstApplied = try body.varint32(&at, "firstApplied")
      guard firstApplied <= sequence else { throw WireError(.inconsistent, at: start, "firstApplied") }
    }
    try body.end(at)
  }

  package func encode(into out: inout OutputRawSpan) {
    let length = 1 + varintLength(UInt64(sequence)) + varintLength(UInt64(dropped))
    out.put(varint: dropped > 0 ? length + varintLength(UInt64(firstApplied)) : length)
    out.put(byte: MessageType.inputAck.rawValue)
    out.put(varint: UInt64(sequence))
    out.put(varint: UInt64(dropped))
    if dropped > 0 { out.put(varint: UInt64(firstApplied)) }
  }

  /// Length, type and three 32-bit varints.
  package static let bound = 17
}

/// The answer to a Call; the payload is a range of the body.
package struct Reply: Equatable, Sendable {
  package var id: UInt32
  package var status: UInt16
  package var payload: Range<Int>

  package init(_ body: Span<UInt8>) throws(WireError) {
    var at = 0
    id = try body.varint32(&at, "id")
    status = try body.varint16(&at, "status")
    guard body.count - at <= WireLimits.payloadBytes else { throw WireError(.invalidLength, at: at, "payload") }
    payload = at..<body.count
  }

  package static func encode(id: UInt32, status: ReplyStatus, payload: Span<UInt8>, into out: inout OutputRawSpan) {
    out.put(varint: 1 + varintLength(UInt64(id)) + varintLength(UInt64(status.rawValue)) + payload.count)
    out.put(byte: MessageType.reply.rawValue)
    out.put(varint: UInt64(id))
    out.put(varint: UInt64(status.rawValue))
    out.put(raw: payload)
  }

  /// Most bytes besides the payload.
  package static let overhead = messageOverhead + 5 + 3
}

/// An event for one player; the payload is a range of the body.
package struct Whisper: Equatable, Sendable {
  package var isReliable: Bool
  package var number: UInt64
  package var sender: PlayerID?
  package var code: UInt16
  package var payload: Range<Int>

  package init(_ body: Span<UInt8>) throws(WireError) {
    var at = 0
    let flags = try body.flags(&at, known: 3, "flags")
    isReliable = flags & 1 != 0
    number = try body.varint(&at, "number")
    sender = flags & 2 != 0 ? PlayerID(rawValue: try body.varint16(&at, "sender")) : nil
    code = try body.varint16(&at, "code")
    guard body.count - at <= WireLimits.payloadBytes else { throw WireError(.invalidLength, at: at, "payload") }
    payload = at..<body.count
  }

  package static func encode(
    isReliable: Bool, number: UInt64, sender: PlayerID?, code: UInt16, payload: Span<UInt8>,
    into out: inout OutputRawSpan
  ) {
    let senderBytes = sender.map { varintLength(UInt64($0.rawValue)) } ?? 0
    out.put(varint: 2 + varintLength(number) + senderBytes + varintLength(UInt64(code)) + payload.count)
    out.put(byte: MessageType.whisper.rawValue)
    out.put(byte: (isReliable ? 1 : 0) | (sender == nil ? 0 : 2))
    out.put(varint: number)
    if let sender { out.put(varint: UInt64(sender.rawValue)) }
    out.put(varint: UInt64(code))
    out.put(raw: payload)
  }

  /// Most bytes besides the payload.
  package static let overhead = messageOverhead + 1 + 10 + 3 + 3
}

/// Reliable events that a skip or an absence made a client miss.
package enum MissedEvents {
  package static func block(_ body: Span<UInt8>) throws(WireError) -> EventBlock {
    var at = 0
    let block = try EventBlock(validating: body, at: &at)
    try body.end(at)
    var walk = block
    while let event = walk.next(body) {
      guard event.isReliable else { throw WireError(.inconsistent, at: 0, "event flags") }
    }
    return block
  }
}

/// `text` cut to what a Goodbye or a refusal may carry, at a character's end.
private func clipped(_ text: String) -> String {
  guard text.utf8.count > WireLimits.textBytes else { return text }
  var short = ""
  for character in text {
    guard short.utf8.count + String(character).utf8.count <= WireLimits.textBytes else { break }
    short.append(character)
  }
  return short
}
