import Testing
import WireFormat

/// Bytes of a client's messages.
enum Say {
  static func hello(_ credential: Credential = .none) -> [UInt8] {
    let hello = Hello(credential: credential)
    return encodedBytes(bound: hello.bound + messageOverhead) { hello.encode(into: &$0) }
  }

  static func join(
    _ room: String, kind: String = "test", hash: UInt64 = 0, strict: Bool = false, options: [UInt8] = []
  ) -> [UInt8] {
    let join = Join(room: room, roomKind: kind, schemaHash: hash, strictSchema: strict, options: options)
    return encodedBytes(bound: join.bound + messageOverhead) { join.encode(into: &$0) }
  }

  static func ping(_ token: UInt64) -> [UInt8] {
    encodedBytes(bound: 16) { Ping.encode(token: token, into: &$0) }
  }

  static func leave() -> [UInt8] { raw(MessageType.leave.rawValue) }

  static func call(_ id: UInt32, _ method: UInt16, _ payload: [UInt8] = []) -> [UInt8] {
    encodedBytes(bound: 32 + payload.count) {
      Call.encode(id: id, method: method, payload: payload.span, into: &$0)
    }
  }

  static func event(
    _ payload: [UInt8] = [], to target: EventTarget = .all, reliably: Bool = true, code: UInt16 = TestRoom.eventCode
  ) -> [UInt8] {
    encodedBytes(bound: 32 + payload.count) {
      ClientEvent.encode(isReliable: reliably, target: target, code: code, payload: payload.span, into: &$0)
    }
  }

  /// Moves an avatar to the quantised `x`.
  static func input(_ sequence: UInt32, avatar: UInt16, x: Int32) -> [UInt8] {
    encodedBytes(bound: 64) { out in
      out.put(.input, bound: 48) { out in
        out.put(varint: UInt64(sequence))
        out.put(varint: 1)
        out.put(varint: UInt64(TestRoom.avatar.rawValue))
        out.put(varint: UInt64(avatar))
        out.put(varint: 1)
        out.put(zigzag: x)
      }
    }
  }

  /// Any message.
  static func raw(_ type: UInt8, _ body: [UInt8] = []) -> [UInt8] {
    encodedBytes(bound: 16 + body.count) { out in
      out.put(varint: body.count + 1)
      out.put(byte: type)
      out.put(raw: body.span)
    }
  }
}

extension TestClient {
  /// Reads up to the first message of this type.
  @discardableResult
  func until(_ type: MessageType, within seconds: Double = patienceSeconds) throws -> ServerMessage {
    let deadline = monotonicSeconds() + seconds
    while let message = try next(before: deadline, for: "\(type)") {
      if message.type == type { return message }
      if message.type == .goodbye {
        let goodbye = try Goodbye(message.body.span)
        throw ClientFault("Goodbye \(goodbye.code) \"\(goodbye.text)\" while waiting for \(type)")
      }
    }
    throw ClientFault("the stream ended while waiting for \(type); seen \(seen)")
  }

  /// Reads up to the Goodbye, which must be the last word.
  func farewell(within seconds: Double = patienceSeconds) throws -> Goodbye {
    let deadline = monotonicSeconds() + seconds
    while let message = try next(before: deadline, for: "Goodbye") {
      guard message.type == .goodbye else { continue }
      guard try next(before: deadline, for: "end of stream") == nil else {
        throw ClientFault("a message after Goodbye")
      }
      return try Goodbye(message.body.span)
    }
    throw ClientFault("the stream ended without a Goodbye; seen \(seen)")
  }

  /// Checks the Goodbye's reason and that its text speaks of `text`.
  func expectGoodbye(
    _ reason: CloseReason, _ text: String, within seconds: Double = patienceSeconds,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let goodbye = try farewell(within: seconds)
    #expect(goodbye.code == reason.rawValue, "\(goodbye)", sourceLocation: sourceLocation)
    #expect(goodbye.text.contains(text), "\(goodbye)", sourceLocation: sourceLocation)
  }

  func expectRefusal(
    _ refusal: JoinRefusal, _ text: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let message = try until(.joinRefused)
    let refused = try JoinRefused(message.body.span)
    #expect(refused.code == refusal.rawValue, "\(refused)", sourceLocation: sourceLocation)
    #expect(refused.text.contains(text), "\(refused)", sourceLocation: sourceLocation)
  }

  @discardableResult
  func hello(_ credential: Credential = .none) throws -> Welcome {
    send(Say.hello(credential))
    try until(.welcome)
    return try #require(welcome)
  }

  /// Joins and waits for the keyframe.
  @discardableResult
  func join(_ room: String, kind: String = "test") throws -> Joined {
    send(Say.join(room, kind: kind))
    try until(.joined)
    try until(.frame)
    return try #require(joined)
  }

  /// Follows the room until `condition` holds.
  func follow(until condition: () throws -> Bool, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let deadline = monotonicSeconds() + Self.patienceSeconds
    while !(try condition()) {
      guard try next(before: deadline, for: "the state that was waited for") != nil else {
        throw ClientFault("the stream ended; seen \(seen)")
      }
    }
  }

  /// The avatar of this client; waits for the frame that brings it.
  func avatar() throws -> UInt16 {
    let player = try #require(joined).player
    var found: UInt16?
    try follow(until: {
      let table = try #require(mirror).state.tables[Int(TestRoom.avatar.rawValue)]
      table.forEach { id in if table.owner(of: id) == player { found = UInt16(id) } }
      return found != nil
    })
    return try #require(found)
  }

  func move(_ avatar: UInt16, to x: Int32) {
    send(Say.input(nextInput, avatar: avatar, x: x))
    nextInput += 1
  }

  /// Waits until this client sees an avatar at the quantised x.
  func see(_ avatar: UInt16, at x: Int32) throws {
    try follow(until: {
      let table = try #require(mirror).state.tables[Int(TestRoom.avatar.rawValue)]
      return table.contains(Int(avatar)) && table.word(0, Int(avatar)) == x
    })
  }

  /// Where a resume would go on.
  func resumePoint() throws -> ResumePoint {
    let mirror = try #require(mirror)
    return ResumePoint(
      ticket: try #require(welcome).ticket, lastTick: mirror.tick ?? Tick(0), lastEvent: mirror.lastEvent,
      lastWhisper: 0)
  }
}
