import WireFormat

/// Bytes of the server, and the messages of the conversation; those of the room are in `ClientCore+Room.swift`.
extension ClientCore {
  /// Takes bytes that arrived, tells the delegate what they mean and writes what must be answered.
  ///
  /// - Returns: false when the connection is over: close the stream, then ask ``connectionEnded(jitter:_:)``.
  package func receive(_ bytes: Span<UInt8>, now: UInt64, _ delegate: any ClientCoreDelegate) -> Bool {
    guard phase.isConnected else { return false }
    times.lastReceived = now
    var at = 0
    do throws(ClientFault) {
      while at < bytes.count, phase.isConnected {
        at += try feed(bytes.extracting(at..<bytes.count), now: now, delegate)
      }
    } catch {
      phase = .finished(.fault(error))
      delegate.client(self, didFind: error)
    }
    return phase.isConnected
  }

  /// Hands on messages until the bytes are used up, or one changed what may follow.
  private func feed(
    _ bytes: Span<UInt8>, now: UInt64, _ delegate: any ClientCoreDelegate
  ) throws(ClientFault) -> Int {
    var fault: ClientFault?
    let used: Int
    do throws(MessageAssembler.Failure) {
      used = try assembler.feed(bytes) { type, body in
        do throws(ClientFault) {
          return try handle(type, body, now: now, delegate)
        } catch {
          fault = error
          return .stop
        }
      }
    } catch {
      throw .framing(error)
    }
    if let fault { throw fault }
    // Set here because the assembler can't be changed while it hands out a message.
    if let welcome { assembler.limit = min(Int(welcome.maxServerMessage), WireLimits.serverMessageBytes) }
    return used
  }

  private func handle(
    _ type: UInt8, _ body: Span<UInt8>, now: UInt64, _ delegate: any ClientCoreDelegate
  ) throws(ClientFault) -> MessageAssembler.Step {
    guard let known = MessageType(rawValue: type) else {
      guard type >= MessageType.firstOptional else { throw .unknownMessage(type: type) }
      return .proceed
    }
    do throws(MessageFailure) {
      return try handle(known, body, now: now, delegate)
    } catch {
      switch error {
      case .wire(let error): throw .malformed(type: type, error)
      case .fault(let fault): throw fault
      }
    }
  }

  private func handle(
    _ type: MessageType, _ body: Span<UInt8>, now: UInt64, _ delegate: any ClientCoreDelegate
  ) throws(MessageFailure) -> MessageAssembler.Step {
    if type == .goodbye || type == .left { try tellHeld(delegate) }
    switch type {
    case .goodbye:
      let goodbye = try body.message { (body) throws(WireError) in try Goodbye(body) }
      phase = .finished(.goodbye(goodbye))
      delegate.client(self, didReceive: goodbye)
      return .stop
    case .welcome where phase == .greeting || phase == .resuming:
      try accept(try body.message { (body) throws(WireError) in try Welcome(body) }, now: now)
      if let welcome { delegate.client(self, didReceive: welcome) }
      return .stop
    case .ping where phase.isWelcomed: try answerPing(body, now: now)
    case .pong where phase.isWelcomed: try acceptPong(body, now: now)
    case .joined where phase == .joining || phase == .resumed:
      let joined = try body.message { (body) throws(WireError) in try Joined(body) }
      try accept(joined)
      delegate.client(self, didReceive: joined)
    case .joinRefused where phase == .joining:
      let refusal = try body.message { (body) throws(WireError) in try JoinRefused(body) }
      phase = .welcomed
      wish = nil
      loseCalls(delegate)
      delegate.client(self, didReceive: refusal)
    case .left where phase == .leaving:
      try body.message { (body) throws(WireError) in try body.end(0) }
      phase = .welcomed
      forgetSeat()
      loseCalls(delegate)
      delegate.clientDidLeave(self)
    default:
      guard phase.hasRoom else { throw .fault(.unexpectedMessage(type, phase: phase.name)) }
      try handleWithTrailer(type, body, now: now, delegate)
    }
    return phase.isConnected ? .proceed : .stop
  }

  // MARK: Welcome

  private func accept(_ new: Welcome, now: UInt64) throws(MessageFailure) {
    guard new.version == WireLimits.protocolVersion else {
      throw .fault(.seat("Welcome with protocol version \(new.version), not \(WireLimits.protocolVersion)"))
    }
    if phase == .resuming, let welcome, seat != nil, new.session != welcome.session || new.ticket != welcome.ticket {
      throw .fault(.seat("resumed into another session"))
    }
    phase = phase == .resuming ? .resumed : .welcomed
    welcome = new
    attempt = phase == .welcomed ? 0 : attempt
    // A session that goes on is with the same server and its clock.
    if phase == .welcomed { clock.reset() }
    // The authentication may make this round trip long; the first ping corrects it.
    clock.add(sent: times.helloSent, received: now, server: new.timeMicroseconds)
    ping(now: now)
  }

  private func answerPing(_ body: Span<UInt8>, now: UInt64) throws(MessageFailure) {
    let token = try body.message { (body) throws(WireError) in try Ping.token(body) }
    let pong = Pong(token: token, timeMicroseconds: now)
    // Dropped when the output is full: the server will find us silent, as it should.
    try? write(bound: 20 + messageOverhead) { pong.encode(into: &$0) }
  }

  private func acceptPong(_ body: Span<UInt8>, now: UInt64) throws(MessageFailure) {
    let pong = try body.message { (body) throws(WireError) in try Pong(body) }
    guard let position = times.openPings.firstIndex(of: pong.token) else {
      // One so late that it was given up may still come.
      guard pong.token < times.lastToken else { throw .fault(.pong(token: pong.token)) }
      return
    }
    times.openPings.removeSubrange(...position)
    confirmRaised(token: pong.token)
    // The server may read who sends in every tick once a tick, but not for a while after a Ping: who asks again at once
    // learns how far it is.
    // A token is ahead of the time it was sent at when another was sent in the same microsecond.
    let roundTrip = now > pong.token ? now - pong.token : 0
    let asksAgain = pong.token != times.repeatedToken && clock.hasWaited(roundTripMicroseconds: roundTrip)
    clock.add(sent: pong.token, received: now, server: pong.timeMicroseconds)
    guard asksAgain else { return }
    ping(now: now)
    times.repeatedToken = times.lastToken
  }

  // MARK: Joined

  private func accept(_ joined: Joined) throws(MessageFailure) {
    guard joined.isResumed == (phase == .resumed) else {
      throw .fault(.seat(joined.isResumed ? "Joined as resumed, but nothing was resumed" : "Joined anew in a resume"))
    }
    if joined.isResumed, let seat {
      guard
        joined.player == seat.player, joined.generation == seat.generation, joined.schemaHash == seat.schema.hash,
        joined.tickRate == seat.tickRate, joined.startMicroseconds == seat.startMicroseconds
      else { throw .fault(.seat("resumed into another seat or room")) }
      guard joined.lastEvent == seat.lastEvent, joined.lastWhisper == seat.lastWhisper else {
        throw .fault(.seat("resumed with other event or whisper numbers than those sent"))
      }
      // What a keyframe before the cut owed comes with the one that follows now.
      seat.owedThrough = nil
    } else {
      seat = RoomSeat(
        joined, schema: try schema(of: joined), keepingState: configuration.keepsState, sentInput: sentInput)
      try checkPlayers(joined)
    }
    wish = nil
    attempt = 0
    phase = .inRoom
  }

  private func checkPlayers(_ joined: Joined) throws(MessageFailure) {
    guard !joined.isResumed else { return }
    guard let players = joined.players, players.contains(joined.player) else {
      throw .fault(.seat("Joined without a list of players that has \(joined.player) in it"))
    }
  }

  private func schema(of joined: Joined) throws(MessageFailure) -> Schema {
    let schema: Schema
    if let bytes = joined.schema {
      do {
        schema = try Schema(decoding: bytes.span)
      } catch {
        throw .fault(.schema("\(error)"))
      }
      if wish?.strictSchema == true, let own = configuration.schema, own != schema {
        throw .fault(.schema("another one than the strict one asked for"))
      }
    } else if let own = configuration.schema {
      schema = own
    } else {
      throw .fault(.schema("none was sent, though none is known here"))
    }
    guard schema.hash == joined.schemaHash else { throw .fault(.schema("its hash is not the one told")) }
    let bytes = schema.layouts.reduce(0) { $0 + ($1.rowBytes + $1.stepBytes) * $1.capacity }
    guard bytes <= FrameContent.mostStateBytes else {
      throw .fault(.schema("its state takes up to \(bytes) bytes, at most \(FrameContent.mostStateBytes) are kept"))
    }
    return schema
  }
}

/// Why a message was not taken.
enum MessageFailure: Error {
  case wire(WireError)
  case fault(ClientFault)
}

extension Span where Element == UInt8 {
  /// Decodes this body, with its error made one of ours.
  func message<Value: ~Copyable>(
    _ decode: (Span<UInt8>) throws(WireError) -> Value
  ) throws(MessageFailure) -> Value {
    do throws(WireError) {
      return try decode(self)
    } catch {
      throw .wire(error)
    }
  }
}

extension ClientPhase {
  var isConnected: Bool {
    switch self {
    case .idle, .finished, .lost, .ended: false
    case .greeting, .resuming, .resumed, .welcomed, .joining, .inRoom, .leaving: true
    }
  }

  var isWelcomed: Bool { isConnected && self != .greeting && self != .resuming }
}
