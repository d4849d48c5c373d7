import EventLoop
import RoomEngine
import WireFormat

/// What a client's messages do.
extension Connection {
  func handle(_ type: UInt8, _ body: Span<UInt8>) {
    // Nearly all that comes.
    messagesSinceRead &+= 1
    if type == MessageType.input.rawValue, let seatedRoom {
      return seatedRoom._withUnsafeGuaranteedRef { receive(.input, body, $0) }
    }
    if case .handshake = state { return begin(type, body) }
    if type == MessageType.pong.rawValue, isAnswer(body) { return }
    countMessage(type)
    guard let type = MessageType(rawValue: type) else {
      if type < MessageType.firstOptional {
        loop.end(self, .unknownMessage, "message type \(type) is required and not known")
      }
      return
    }
    do throws(WireError) {
      switch (state, type) {
      case (.lobby(let session), .join): join(try Join(body), session)
      case (.lobby, .pong), (.seating, .pong), (.seated, .pong): _ = try Pong(body)
      case (.lobby, .ping), (.seating, .ping), (.seated, .ping): pong(try Ping.token(body))
      case (.seating(_, let host), .input), (.seating(_, let host), .event), (.seating(_, let host), .call),
        (.seating(_, let host), .leave), (.seated(_, let host), .input), (.seated(_, let host), .event),
        (.seated(_, let host), .call), (.seated(_, let host), .leave):
        receive(type, body, host.room)
      // Sent before the client saw that it is in no room any more.
      case (.lobby, .input), (.lobby, .event), (.lobby, .call), (.lobby, .leave): break
      default: loop.end(self, .unexpectedMessage, "\(type) is out of place here")
      }
    } catch {
      loop.end(self, .malformed, "\(type): \(error)")
    }
  }

  /// A room counts what is for it by its own limits; all else, answered or skipped, costs the server as much.
  private func countMessage(_ type: UInt8) {
    if case .seated = state {
      switch MessageType(rawValue: type) {
      case .input, .event, .call, .leave: return
      default: break
      }
    }
    pace.messages.charge(now: loop.realNow)
    if pace.messages.isSpent(now: loop.realNow) { isHeldBack = true }
  }

  private func receive(_ type: MessageType, _ body: Span<UInt8>, _ room: Room) {
    if !room.receive(type, body, from: delivery, now: loop.realNow) { isHeldBack = true }
  }

  // MARK: Handshake

  /// Takes the first message, which is a Hello or not ours at all: of another protocol's bytes, any may look like a
  /// type.
  private func begin(_ type: UInt8, _ body: Span<UInt8>) {
    if type == MessageType.hello.rawValue {
      hello(body)
    } else {
      loop.end(self, .badMagic, "the first message is a Hello; this began with type \(type)")
    }
  }

  private func hello(_ body: Span<UInt8>) {
    let hello: Hello
    do throws(Hello.Failure) {
      hello = try Hello(body)
    } catch {
      switch error {
      case .badMagic: loop.end(self, .badMagic, "this is a TickServer: a Hello begins with TICK")
      case .version(let version):
        loop.end(
          self, .versionUnsupported,
          "protocol version \(version) is not spoken here, only \(WireLimits.protocolVersion)")
      case .malformed(let wire): loop.end(self, .malformed, "hello: \(wire)")
      }
      return
    }
    switch hello.credential {
    case .none: authenticate(nil)
    case .token(let token): authenticate(token)
    case .resume(let point): resume(point)
    }
  }

  private func authenticate(_ token: [UInt8]?) {
    if let refusal = loop.shared.authenticator.refusal(of: token) {
      loop.end(self, .unauthorized, refusal)
      return
    }
    if let refusal = loop.shared.admission.refusal(toBegin: address) {
      loop.end(self, .connectionLimit, refusal)
      return
    }
    let session = loop.shared.sessions.open()
    state = .lobby(session)
    welcome(session)
  }

  /// Bytes that Welcome allows a message to have.
  func raiseMessageLimit() {
    messageLimit = loop.shared.configuration.maxClientMessage.bytes
  }

  func welcome(_ session: Session) {
    raiseMessageLimit()
    roomlessSince = loop.now
    let welcome = Welcome(
      session: session.id, timeMicroseconds: loop.shared.microseconds(at: loop.clock()), maxClientMessage: messageLimit,
      maxServerMessage: WireLimits.serverMessageBytes, graceSeconds: loop.longestGraceSeconds, ticket: session.ticket)
    send(bound: Welcome.bound) { welcome.encode(into: &$0) }
  }

  private func resume(_ point: ResumePoint) {
    // Given up while it waited to be heard: it would take the seat from the connection that came after it.
    if stream.peerHasShutDown { return loop.end(self, .peerClosed, "it ended before it could resume") }
    guard let place = loop.shared.sessions.find(point.ticket) else {
      loop.end(self, .ticketUnknown, "no session has this ticket: join anew")
      return
    }
    goOrStay(.resume(point), place.loop)
  }

  // MARK: Lobby

  private func join(_ join: Join, _ session: Session) {
    pace.joins.charge(now: loop.realNow)
    if pace.joins.isSpent(now: loop.realNow) { isHeldBack = true }
    switch loop.shared.rooms.locate(
      join, for: address, isShortOfMemory: loop.shared.pressure.level > .normal)
    {
    case .refused(let refusal, let text):
      let retryAfter: UInt32? =
        switch refusal {
        case .overBudget: RetryAfter.overBudgetMilliseconds
        case .draining: LameDuck.retryMilliseconds
        default: nil
        }
      let refused = JoinRefused(refusal, retryAfterMilliseconds: retryAfter, text: text)
      loop.logRefusal(self, refused, room: join.room)
      refuse(refused)
    case .loop(let target): goOrStay(.join(session, join), target)
    }
  }

  /// Does what it came for on the loop of its room, which may be another one.
  private func goOrStay(_ purpose: MovingConnection.Purpose, _ target: Int) {
    if target == loop.index {
      loop.arrive(self, purpose)
    } else {
      state = .moving(purpose, to: target, unread: [])
      stream.stopReading()
    }
  }

  func refuse(_ refused: JoinRefused) {
    roomlessSince = loop.now
    var refused = refused
    refused.retryAfterMilliseconds = refused.retryAfterMilliseconds.map {
      RetryAfter.around($0, share: Double.random(in: 0...1))
    }
    if refused.code == JoinRefusal.overBudget.rawValue { loop.counters.joinsRefusedForMemory += 1 }
    send(bound: refused.bound) { refused.encode(into: &$0) }
  }

  /// Takes the answer to a ping that a room has sent, which costs the client nothing of its rate; false for any other.
  private func isAnswer(_ body: Span<UInt8>) -> Bool {
    guard let pong = try? Pong(body), delivery.owes(pong.token) else { return false }
    if case .seated(_, let host) = state,
      host.room.confirm(pong.token, by: delivery, now: loop.attendedClock())
    {
      pump()
    }
    return true
  }

  /// Asks the client for a sign of life.
  func ping(at now: Instant) {
    pingedAt = now
    send(bound: 16) { Ping.encode(token: loop.shared.microseconds(at: loop.clock()), into: &$0) }
  }

  private func pong(_ token: UInt64) {
    // Another question that comes behind the answer does not wait for a tick.
    loop.endIntake(of: self)
    // The clock is read now: what the loop did before would count as the way back.
    let pong = Pong(token: token, timeMicroseconds: loop.shared.microseconds(at: loop.clock()))
    send(bound: 32) { pong.encode(into: &$0) }
  }
}
