package import WireFormat

/// What members send: taken in as it arrives, applied in the next tick, in arrival order.
extension Room {
  /// Why a member's message ends its connection.
  package struct Violation: Error {
    package let reason: CloseReason
    package let text: String
  }

  /// Takes in a message of a room: Input, Event, Call or Leave. `delivery` has a seat or waits for one.
  ///
  /// Between ticks it goes into the inbox, which the next tick applies first of all. What comes within a tick is behind
  /// all that came before, so it is applied at once, without a copy.
  package func receive(
    _ type: MessageType, _ body: Span<UInt8>, from delivery: Delivery, now: Instant
  ) throws(Violation) {
    if let seat = delivery.seat {
      guard seat.bucket.take(now: now) else {
        throw Violation(
          reason: .rateLimited,
          text: "more than \(kind.limits.messagesPerSecond) messages a second (\(kind.limits.messageBurst) at once)")
      }
    }
    let cost = Inbox.cost(body)
    guard delivery.waitingBytes + cost <= kind.limits.inboxBytes.bytes else {
      throw Violation(reason: .rateLimited, text: "more than \(kind.limits.inboxBytes) were waiting for a tick")
    }
    context.input.add(cost)
    delivery.waitingBytes += cost
    guard context.input.allows(delivery.waitingBytes) else {
      // It is in no inbox: nobody else would take it off.
      context.input.add(-cost)
      delivery.waitingBytes -= cost
      throw Violation(reason: .overBudget, text: "the server is short of memory for input: try again later")
    }
    if isTakingIn { apply(type, body, from: delivery) } else { inbox.append(type, body, from: delivery) }
  }

  /// Seats that this tick may give.
  private var mostAdmissions: Int {
    let most = kind.limits.admissionsPerTick
    return if case .upTo(let seats) = context.seats { min(most, seats) } else { most }
  }

  func applyInbox() {
    guard !inbox.isEmpty else { return }
    // What is left for the next tick is appended to the other inbox while this one is read.
    swap(&inbox, &spareInbox)
    // Out of the room while it is read, with no other reference: cleared below without a copy.
    var taken = Inbox()
    swap(&taken, &spareInbox)
    let putOff = taken.joinsToPutOff(most: mostAdmissions)
    for index in taken.items.indices {
      taken.fetchAhead(index + 2)
      switch taken.take(index) {
      case .none: break
      case .join(let request): if putOff.contains(index) { inbox.append(.join(request)) } else { admit(request) }
      case .message(let delivery, let type, let range):
        apply(type, taken.bytes.span.extracting(range), from: delivery)
      case .away(let seat): noteAway(seat)
      case .back(let seat): if !seat.isFreed { calling(.resumed) { logic.resumed(seat.player, in: self) } }
      }
    }
    taken.clear(keeping: Inbox.keptBytes(players: kind.capacity))
    swap(&taken, &spareInbox)
  }

  private func apply(_ type: MessageType, _ body: Span<UInt8>, from delivery: Delivery) {
    if delivery.awaitsSeat || delivery.putOffAt == tick { return putOff(type, body, delivery) }
    // Who leaves gets Joined first, then Left.
    if type == .leave, delivery.position == .joining || delivery.position == .resuming {
      return putOff(type, body, delivery)
    }
    if type == .event, delivery.seat != nil, !fits(event: body) { return putOff(type, body, delivery) }
    delivery.waitingBytes -= Inbox.cost(body)
    context.input.add(-Inbox.cost(body))
    guard !delivery.isCondemned, let seat = delivery.seatReference else { return }
    // Nearly all that comes is input.
    let fault =
      type == .input
      ? seat._withUnsafeGuaranteedRef { faultOfInput(body, $0) }
      : fault(of: type, body, from: delivery, seat.takeUnretainedValue())
    guard let fault else { return }
    let reason: CloseReason = type == .input && fault.code == .outOfRange ? .invalidInput : .malformed
    evict(delivery, reason, "\(type): \(fault)")
  }

  private func faultOfInput(_ body: Span<UInt8>, _ seat: Seat) -> WireError? {
    do throws(WireError) {
      try applyInput(body, seat)
      return nil
    } catch {
      return error
    }
  }

  /// Applies a message other than an input.
  ///
  /// - Returns: what is wrong with it.
  private func fault(of type: MessageType, _ body: Span<UInt8>, from delivery: Delivery, _ seat: Seat) -> WireError? {
    do throws(WireError) {
      switch type {
      case .event: try applyEvent(body, seat)
      // There is nobody to answer any more.
      case .call where delivery.position == .closed: break
      case .call: try applyCall(body, seat)
      case .leave:
        try body.end(0)
        free(seat)
        if delivery.position != .closed { effects.append(.left(delivery)) }
      default: break
      }
      return nil
    } catch {
      return error
    }
  }

  /// Leaves a message for the next tick, and with it all that its sender said after it.
  private func putOff(_ type: MessageType, _ body: Span<UInt8>, _ delivery: Delivery) {
    delivery.putOffAt = tick
    inbox.append(type, body, from: delivery)
  }

  /// Whether a member's event can be raised in this tick; a tick's events are bounded. Once one can't, none behind it
  /// can.
  private func fits(event body: Span<UInt8>) -> Bool {
    // One that is too large for any tick does not wait: it is refused when it is read.
    guard body.count <= kind.limits.payloadBytes.bytes + RoomEvent.overhead else { return true }
    if tickEvents.count + RoomEvent.overhead + body.count > kind.limits.eventBytesPerTick.bytes { eventsAreFull = true }
    return !eventsAreFull
  }

  private func noteAway(_ seat: Seat) {
    if let parting = seat.parting, parting.putOffAt == tick { return inbox.append(.away(seat)) }
    seat.part()
    if !seat.isFreed { calling(.disconnected) { logic.disconnected(seat.player, in: self) } }
  }

  /// Asks the shell, once, to end a connection.
  func evict(_ delivery: Delivery, _ reason: CloseReason, _ text: String) {
    guard !delivery.isCondemned else { return }
    delivery.isCondemned = true
    if delivery.position != .closed { effects.append(.evict(delivery, reason, text)) }
  }

  private func applyInput(_ body: Span<UInt8>, _ seat: Seat) throws(WireError) {
    var reader = try InputReader(body)
    if let last = seat.lastInput, reader.sequence <= last { throw WireError(.outOfRange, at: 0, "sequence") }
    counters.inputs += 1
    let caller = gameCall
    gameCall = .input
    defer { gameCall = caller }
    while let entry = try reader.next(body, into: &inputScratch, kind.schema) {
      guard tables.isOwned(entry.entity, by: seat.player) else {
        counters.inputsIgnored += 1
        continue
      }
      logic.input(Input(entity: entry.entity, mask: entry.mask, room: self), from: seat.player, in: self)
    }
    seat.lastInput = reader.sequence
    seat.delivery?.ackDue = reader.sequence
  }

  private func applyEvent(_ body: Span<UInt8>, _ seat: Seat) throws(WireError) {
    let event = try ClientEvent(body)
    guard event.payload.count <= kind.limits.payloadBytes.bytes else {
      throw WireError(.invalidLength, at: event.payload.lowerBound, "payload")
    }
    let payload = body.array(event.payload)
    let incoming = IncomingEvent(
      isReliable: event.isReliable, target: event.target, code: event.code, payload: payload)
    guard calling(.event, { logic.event(incoming, from: seat.player, in: self) }) else { return }
    let sender = seat.player
    switch event.target {
    case .one(let player):
      whisper(event.code, payload, to: player, reliably: event.isReliable, from: sender)
    case .all: _ = raise(event.code, payload, reliably: event.isReliable, from: sender, isForSender: true)
    case .others: _ = raise(event.code, payload, reliably: event.isReliable, from: sender, isForSender: false)
    }
  }

  private func applyCall(_ body: Span<UInt8>, _ seat: Seat) throws(WireError) {
    let call = try Call(body)
    guard call.payload.count <= kind.limits.payloadBytes.bytes else {
      send(.payloadInvalid, [], of: call.id, to: seat)
      return
    }
    guard seat.openCalls.count < Seat.mostOpenCalls else {
      send(.tooManyCalls, [], of: call.id, to: seat)
      return
    }
    seat.openCalls.append(call.id)
    callInProgress = call.id
    defer { callInProgress = nil }
    let payload = body.array(call.payload)
    let outcome = calling(.call) { logic.call(call.method, payload: payload, from: seat.player, in: self) }
    answer(outcome, CallToken(player: seat.player, generation: seat.generation, id: call.id))
  }
}
