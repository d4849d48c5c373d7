import WireFormat

/// Events, whispers and replies on their way out.
extension Room {
  /// Events of the protocol itself (`docs/protocol.md` section 7.1).
  enum SystemEvent: UInt16 {
    case playerJoined = 1
    case playerLeft = 2
  }

  func raise(
    _ code: UInt16, _ payload: [UInt8], reliably: Bool, from sender: PlayerID?, isForSender: Bool
  ) -> Bool {
    guard code >= WireLimits.firstGameEventCode, payload.count <= kind.limits.payloadBytes.bytes else {
      counters.eventsRefused += 1
      return false
    }
    let limit = kind.limits.eventBytesPerTick.bytes
    guard append(code, payload, reliably, sender, isForSender, limit: limit) else {
      counters.eventsRefused += 1
      return false
    }
    return true
  }

  func raiseSystem(_ event: SystemEvent, _ seat: Seat) {
    let payload = encodedBytes(bound: 8) { out in
      out.put(varint: UInt64(seat.player.rawValue))
      if event == .playerJoined { out.put(varint: UInt64(seat.generation)) }
    }
    // Not under the game's limit: they are bounded by the seats, and nobody may miss one.
    let limit = kind.limits.eventBytesPerTick.bytes + kind.systemEventBound
    let fits = append(event.rawValue, payload, true, nil, true, limit: limit)
    precondition(fits, "joins and leaves of one tick exceed \(kind.systemEventBound) bytes")
  }

  private func append(
    _ code: UInt16, _ payload: [UInt8], _ reliably: Bool, _ sender: PlayerID?, _ isForSender: Bool, limit: Int
  ) -> Bool {
    let bound = RoomEvent.overhead + payload.count
    let write = { (out: inout OutputRawSpan) in
      RoomEvent.encode(
        isReliable: reliably, sender: sender, isForSender: isForSender, code: code, payload: payload.span, into: &out)
    }
    guard tickEvents.append(bound: bound, limit: limit, pool: context.pool, write) else { return false }
    tickEventCount += 1
    counters.events += 1
    guard reliably else { return true }
    tickReliableCount += 1
    return tickReliable.append(bound: bound, limit: limit, pool: context.pool, write)
  }

  @discardableResult
  func whisper(
    _ code: UInt16, _ payload: [UInt8], to player: PlayerID, reliably: Bool, from sender: PlayerID?
  ) -> Bool {
    guard let seat = seat(of: player), code >= WireLimits.firstGameEventCode,
      payload.count <= kind.limits.payloadBytes.bytes
    else {
      counters.whispersLost += 1
      return false
    }
    let bound = Whisper.overhead + payload.count
    guard sender == nil || hasRoom(forWhisperOf: bound, to: seat, reliably) else {
      counters.whispersLost += 1
      return false
    }
    if reliably { seat.lastWhisper += 1 }
    let number = seat.lastWhisper
    let write = { (out: inout OutputRawSpan) in
      Whisper.encode(
        isReliable: reliably, number: number, sender: sender, code: code, payload: payload.span, into: &out)
    }
    if reliably {
      let message = context.pool.lease(bound)
      message.write(write)
      seat.keep(message, number: number, mostBytes: kind.limits.backlogBytes.bytes, pool: context.pool)
    }
    // A resuming member gets the reliable ones with its greeting, out of what the seat keeps; a transient one would
    // come behind later ones.
    guard let delivery = seat.delivery, delivery.position != .resuming else { return true }
    queue(bound: bound, for: delivery, write)
    return true
  }

  /// Whether a player may still whisper to this one. Players get half of the room that there is: with all of it they could end each other's connections,
  /// or make a seat impossible to resume, at will.
  private func hasRoom(forWhisperOf bytes: Int, to seat: Seat, _ reliably: Bool) -> Bool {
    let mostBytes = kind.limits.backlogBytes.bytes
    if let delivery = seat.delivery, delivery.position != .resuming {
      return delivery.outbox.count + bytes <= mostBytes / 2
    }
    return !reliably || seat.hasRoom(forWhisperOf: BufferPool.capacity(for: bytes), mostBytes: mostBytes)
  }

  /// Answers a call once; later answers to the same call are dropped.
  func answer(_ outcome: CallOutcome, _ call: CallToken) {
    guard let seat = seat(of: call.player), seat.generation == call.generation,
      let index = seat.openCalls.firstIndex(of: call.id)
    else { return }
    if outcome == .later { return }
    seat.openCalls.remove(at: index)
    let most = kind.limits.payloadBytes.bytes
    switch outcome {
    case .later: break
    case .reply(let payload):
      if payload.count <= most {
        send(.ok, payload, of: call.id, to: seat)
      } else {
        let text = "the reply has \(payload.count) bytes, at most \(most) are allowed"
        send(.rejected, text.blob(maxBytes: most), of: call.id, to: seat)
      }
    case .reject(let text): send(.rejected, text.blob(maxBytes: most), of: call.id, to: seat)
    case .failure(.unknownMethod): send(.unknownMethod, [], of: call.id, to: seat)
    case .failure(.payloadInvalid): send(.payloadInvalid, [], of: call.id, to: seat)
    }
  }

  func send(_ status: ReplyStatus, _ payload: [UInt8], of id: UInt32, to seat: Seat) {
    guard let delivery = seat.delivery else { return }
    queue(bound: Reply.overhead + payload.count, for: delivery) { out in
      Reply.encode(id: id, status: status, payload: payload.span, into: &out)
    }
  }

  private func queue(bound: Int, for delivery: Delivery, _ write: (inout OutputRawSpan) -> Void) {
    let limit = kind.limits.backlogBytes.bytes
    if delivery.position != .live { delivery.outboxFollowsGreeting = true }
    guard !delivery.outbox.append(bound: bound, limit: limit, pool: context.pool, write) else { return }
    evict(delivery, .slowConsumer, "more than \(kind.limits.backlogBytes) of its own messages were waiting")
  }
}
