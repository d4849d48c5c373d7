import RoomEngine
import WireFormat

/// What clients' messages do, as in a server; without authentication.
extension SimulatedRoom {
  func take(_ bytes: Span<UInt8>, from connection: SimulatedConnection) {
    guard !connection.hasEnded else { return }
    connection.heardAt = clock.now
    guard !connection.isHeldBack else { return connection.unread += bytes.array(0..<bytes.count) }
    do throws(MessageAssembler.Failure) {
      let used = try connection.assembler.feed(bytes) { type, body in
        handle(type, body, connection)
        return connection.hasEnded || connection.isHeldBack ? .stop : .limit(WireLimits.clientMessageBytes)
      }
      connection.unread = connection.isHeldBack ? bytes.array(used..<bytes.count) : []
    } catch {
      switch error {
      case .malformed(let wire): end(connection, .malformed, "message: \(wire)")
      case .tooLarge(let length, let limit):
        end(connection, .messageTooLarge, "a message of \(length) bytes, at most \(limit) are allowed")
      }
    }
  }

  private func handle(_ type: UInt8, _ body: Span<UInt8>, _ connection: SimulatedConnection) {
    guard let type = MessageType(rawValue: type) else {
      if type < MessageType.firstOptional { end(connection, .unknownMessage, "message type \(type)") }
      return
    }
    do throws(WireError) {
      switch (connection.state, type) {
      case (.handshake, .hello): hello(body, connection)
      case (.lobby(let session), .join): join(try Join(body), connection, session)
      case (.lobby, .ping), (.seating, .ping), (.seated, .ping): pong(try Ping.token(body), connection)
      case (.lobby, .pong), (.seating, .pong): _ = try Pong(body)
      case (.seated, .pong):
        let token = try Pong(body).token
        guard connection.delivery.owes(token) else { break }
        if room.confirm(token, by: connection.delivery, now: clock.now) { pump(connection) }
      case (.seating, .input), (.seating, .event), (.seating, .call), (.seating, .leave), (.seated, .input),
        (.seated, .event), (.seated, .call), (.seated, .leave):
        receive(type, body, connection)
      // Sent before the client saw that it is in no room any more.
      case (.lobby, .input), (.lobby, .event), (.lobby, .call), (.lobby, .leave): break
      default: end(connection, .unexpectedMessage, "\(type) is out of place here")
      }
    } catch {
      end(connection, .malformed, "\(type): \(error)")
    }
  }

  private func receive(_ type: MessageType, _ body: Span<UInt8>, _ connection: SimulatedConnection) {
    if !room.receive(type, body, from: connection.delivery, now: clock.now) { connection.isHeldBack = true }
  }

  /// Goes on with what was left unread, once the room takes more of it.
  ///
  /// - Returns: whether it does.
  func goOnReading(_ connection: SimulatedConnection) -> Bool {
    guard connection.isHeldBack, !connection.hasEnded else { return false }
    guard room.mayReceive(from: connection.delivery, now: clock.now) else { return false }
    connection.isHeldBack = false
    let unread = connection.unread
    connection.unread = []
    take(unread.span, from: connection)
    return true
  }

  private func hello(_ body: Span<UInt8>, _ connection: SimulatedConnection) {
    guard let hello = try? Hello(body) else { return end(connection, .malformed, "hello") }
    guard case .resume(let point) = hello.credential else {
      lastSession += 1
      connection.state = .lobby(session: lastSession)
      connection.roomlessSince = clock.now
      return welcome(connection, lastSession)
    }
    let session = Self.session(of: point.ticket)
    guard let seat = seats[session] else { return end(connection, .ticketUnknown, "no session has this ticket") }
    switch room.resume(seat, with: connection.delivery, from: point, now: clock.now) {
    case .stale: end(connection, .ticketStale, "what was missed is no longer kept")
    case .resumed(let superseded):
      if let superseded, let older = connections[superseded.tag] {
        end(older, .superseded, "the session was resumed on another connection")
      }
      welcome(connection, session)
      guard !connection.hasEnded else {
        return room.detach(connection.delivery, keepsSeat: true, now: clock.now)
      }
      connection.state = .seated(session: session)
      pump(connection)
    }
  }

  private func welcome(_ connection: SimulatedConnection, _ session: UInt64) {
    let welcome = Welcome(
      session: session, timeMicroseconds: clock.now.nanoseconds / 1000,
      maxClientMessage: WireLimits.clientMessageBytes, maxServerMessage: WireLimits.serverMessageBytes,
      graceSeconds: Int(room.kind.limits.grace.components.seconds), ticket: Self.ticket(of: session))
    send(connection, bound: Welcome.bound) { welcome.encode(into: &$0) }
  }

  private func join(_ join: Join, _ connection: SimulatedConnection, _ session: UInt64) {
    guard !room.isClosed, join.room == room.name else {
      let refused = JoinRefused(.roomLimit, text: "there is only the room \"\(room.name)\", while it is open")
      return send(connection, bound: refused.bound) { refused.encode(into: &$0) }
    }
    connection.state = .seating(session: session)
    room.requestSeat(JoinRequest(delivery: connection.delivery, session: session, join: join))
  }

  private func pong(_ token: UInt64, _ connection: SimulatedConnection) {
    let pong = Pong(token: token, timeMicroseconds: clock.now.nanoseconds / 1000)
    send(connection, bound: 32) { pong.encode(into: &$0) }
  }

  /// 16 bytes; nobody needs to guess them here.
  private static func ticket(of session: UInt64) -> [UInt8] {
    (0..<16).map { UInt8(truncatingIfNeeded: session >> (UInt64($0 % 8) * 8)) }
  }

  private static func session(of ticket: [UInt8]) -> UInt64 {
    ticket.prefix(8).enumerated().reduce(0) { $0 | UInt64($1.element) << (UInt64($1.offset) * 8) }
  }
}
