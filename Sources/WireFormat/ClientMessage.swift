/// What a client presents in its Hello.
package enum Credential: Equatable, Sendable {
  case none
  case token([UInt8])
  case resume(ResumePoint)
}

/// The ticket of a session and how far its client had got.
package struct ResumePoint: Equatable, Sendable {
  package var ticket: [UInt8]
  package var lastTick: Tick
  package var lastEvent: UInt64
  package var lastWhisper: UInt64

  package init(ticket: [UInt8], lastTick: Tick, lastEvent: UInt64, lastWhisper: UInt64) {
    self.ticket = ticket
    self.lastTick = lastTick
    self.lastEvent = lastEvent
    self.lastWhisper = lastWhisper
  }
}

/// The first message of a connection.
package struct Hello: Equatable, Sendable {
  package var version: UInt32
  package var capabilities: UInt64
  package var credential: Credential

  package init(
    version: UInt32 = WireLimits.protocolVersion, capabilities: UInt64 = 0, credential: Credential = .none
  ) {
    self.version = version
    self.capabilities = capabilities
    self.credential = credential
  }

  /// Why a Hello was not understood.
  package enum Failure: Error, Equatable, Sendable {
    case badMagic
    /// A version this server does not speak; the rest of the message was not looked at.
    case version(UInt64)
    case malformed(WireError)
  }

  package init(_ body: Span<UInt8>) throws(Failure) {
    do throws(WireError) {
      var at = 0
      for expected in "TICK".utf8 where try body.byte(&at, "magic") != expected {
        throw WireError(.unknownType, at: at, "magic")
      }
      let version = try body.varint(&at, "version")
      guard version == UInt64(WireLimits.protocolVersion) else {
        throw WireError(.outOfRange, at: Int.max, "\(version)")
      }
      self.version = UInt32(version)
      capabilities = try body.varint(&at, "capabilities")
      credential = try Credential(body, &at)
      try body.end(at)
    } catch {
      if error.field == "magic" { throw .badMagic }
      if error.offset == Int.max { throw .version(UInt64(error.field) ?? 0) }
      throw .malformed(error)
    }
  }

  package func encode(into out: inout OutputRawSpan) {
    out.put(.hello, bound: bound) { out in
      for byte in "TICK".utf8 { out.put(byte: byte) }
      out.put(varint: UInt64(version))
      out.put(varint: capabilities)
      switch credential {
      case .none: out.put(byte: 0)
      case .token(let token):
        out.put(byte: 1)
        out.put(bytes: token.span)
      case .resume(let point):
        out.put(byte: 2)
        out.put(bytes: point.ticket.span)
        out.put(varint: UInt64(point.lastTick.rawValue))
        out.put(varint: point.lastEvent)
        out.put(varint: point.lastWhisper)
      }
    }
  }

  package var bound: Int {
    switch credential {
    case .none: 32
    case .token(let token): 32 + token.count
    case .resume(let point): 64 + point.ticket.count
    }
  }
}

extension Credential {
  fileprivate init(_ body: Span<UInt8>, _ at: inout Int) throws(WireError) {
    let start = at
    switch try body.byte(&at, "credential") {
    case 0: self = .none
    case 1: self = .token(body.array(try body.bytes(&at, atMost: WireLimits.tokenBytes, "token")))
    case 2:
      let start = at
      let ticket = try body.bytes(&at, atMost: WireLimits.ticketBytes.upperBound, "ticket")
      guard ticket.count >= WireLimits.ticketBytes.lowerBound else {
        throw WireError(.invalidLength, at: start, "ticket")
      }
      self = .resume(
        ResumePoint(
          ticket: body.array(ticket), lastTick: Tick(try body.varint32(&at, "lastTick")),
          lastEvent: try body.varint(&at, "lastEvent"), lastWhisper: try body.varint(&at, "lastWhisper")))
    default: throw WireError(.outOfRange, at: start, "credential")
    }
  }
}

/// The wish for a seat in a room.
package struct Join: Equatable, Sendable {
  package var strictSchema: Bool
  package var room: String
  package var roomKind: String
  /// 0 for "send me the schema".
  package var schemaHash: UInt64
  package var options: [UInt8]

  package init(
    room: String, roomKind: String, schemaHash: UInt64 = 0, strictSchema: Bool = false, options: [UInt8] = []
  ) {
    self.room = room
    self.roomKind = roomKind
    self.schemaHash = schemaHash
    self.strictSchema = strictSchema
    self.options = options
  }

  package init(_ body: Span<UInt8>) throws(WireError) {
    var at = 0
    strictSchema = try body.flags(&at, known: 1, "flags") != 0
    // An empty or overlong name is a refusal with its own reason, not a malformed message.
    room = try body.string(&at, lengths: 0...WireLimits.textBytes, "room")
    roomKind = try body.string(&at, lengths: 0...WireLimits.textBytes, "roomKind")
    schemaHash = try body.littleEndian64(&at, "schemaHash")
    options = body.array(try body.bytes(&at, atMost: WireLimits.optionsBytes, "options"))
    try body.end(at)
  }

  package func encode(into out: inout OutputRawSpan) {
    out.put(.join, bound: bound) { out in
      out.put(byte: strictSchema ? 1 : 0)
      out.put(string: room)
      out.put(string: roomKind)
      out.put(littleEndian: schemaHash)
      out.put(bytes: options.span)
    }
  }

  package var bound: Int { 32 + room.utf8.count + roomKind.utf8.count + options.count }
}

/// Whom a client's event is for.
public enum EventTarget: Equatable, Sendable {
  /// Every player of the room, the sender included.
  case all
  /// Every player but the sender.
  case others
  /// One player.
  case one(PlayerID)
}

/// An event that a client raises; the payload is a range of the body.
package struct ClientEvent: Equatable, Sendable {
  package var isReliable: Bool
  package var target: EventTarget
  package var code: UInt16
  package var payload: Range<Int>

  package init(_ body: Span<UInt8>) throws(WireError) {
    var at = 0
    isReliable = try body.flags(&at, known: 1, "flags") != 0
    let start = at
    switch try body.byte(&at, "target") {
    case 0: target = .all
    case 1: target = .others
    case 2: target = .one(PlayerID(rawValue: try body.varint16(&at, "player")))
    default: throw WireError(.outOfRange, at: start, "target")
    }
    let codeStart = at
    code = try body.varint16(&at, "code")
    guard code >= WireLimits.firstGameEventCode else { throw WireError(.outOfRange, at: codeStart, "code") }
    guard body.count - at <= WireLimits.payloadBytes else { throw WireError(.invalidLength, at: at, "payload") }
    payload = at..<body.count
  }

  /// Writes a whole Event message.
  package static func encode(
    isReliable: Bool, target: EventTarget, code: UInt16, payload: Span<UInt8>, into out: inout OutputRawSpan
  ) {
    var player: UInt16?
    if case .one(let id) = target { player = id.rawValue }
    let head = 2 + (player.map { varintLength(UInt64($0)) } ?? 0) + varintLength(UInt64(code))
    out.put(varint: 1 + head + payload.count)
    out.put(byte: MessageType.event.rawValue)
    out.put(byte: isReliable ? 1 : 0)
    switch target {
    case .all: out.put(byte: 0)
    case .others: out.put(byte: 1)
    case .one: out.put(byte: 2)
    }
    if let player { out.put(varint: UInt64(player)) }
    out.put(varint: UInt64(code))
    out.put(raw: payload)
  }
}

/// A call of a client; the payload is a range of the body.
package struct Call: Equatable, Sendable {
  package var id: UInt32
  package var method: UInt16
  package var payload: Range<Int>

  package init(_ body: Span<UInt8>) throws(WireError) {
    var at = 0
    id = try body.varint32(&at, "id")
    method = try body.varint16(&at, "method")
    guard body.count - at <= WireLimits.payloadBytes else { throw WireError(.invalidLength, at: at, "payload") }
    payload = at..<body.count
  }

  package static func encode(id: UInt32, method: UInt16, payload: Span<UInt8>, into out: inout OutputRawSpan) {
    out.put(varint: 1 + varintLength(UInt64(id)) + varintLength(UInt64(method)) + payload.count)
    out.put(byte: MessageType.call.rawValue)
    out.put(varint: UInt64(id))
    out.put(varint: UInt64(method))
    out.put(raw: payload)
  }
}

/// Ping, from either side; and the answer.
package enum Ping {
  package static func token(_ body: Span<UInt8>) throws(WireError) -> UInt64 {
    var at = 0
    let token = try body.varint(&at, "token")
    try body.end(at)
    return token
  }

  package static func encode(token: UInt64, into out: inout OutputRawSpan) {
    out.put(.ping, bound: 10) { $0.put(varint: token) }
  }
}

/// The answer to a Ping.
package struct Pong: Equatable, Sendable {
  package var token: UInt64
  package var timeMicroseconds: UInt64

  package init(token: UInt64, timeMicroseconds: UInt64) {
    self.token = token
    self.timeMicroseconds = timeMicroseconds
  }

  package init(_ body: Span<UInt8>) throws(WireError) {
    var at = 0
    token = try body.varint(&at, "token")
    timeMicroseconds = try body.varint(&at, "time")
    try body.end(at)
  }

  package func encode(into out: inout OutputRawSpan) {
    out.put(.pong, bound: 20) { out in
      out.put(varint: token)
      out.put(varint: timeMicroseconds)
    }
  }
}

extension OutputRawSpan {
  /// Writes a message without a body.
  package mutating func put(empty type: MessageType) {
    put(varint: 1)
    put(byte: type.rawValue)
  }
}
