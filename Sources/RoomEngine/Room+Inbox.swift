package import WireFormat

/// What members send: taken in as it arrives, applied in the next tick, in arrival order.
///
/// Of one member events, calls and Leave keep their order among each other, and so do inputs. Inputs do not wait for an
/// event that waits for its place in a frame: they say how things stand, and must not be old.
///
/// Nobody is ended for how much it sends. Of inputs the newest count (``InputTurn``); of everything else no more is read than
/// the room takes.
extension Room {
  /// Takes in a message of a room: Input, Event, Call or Leave. `delivery` has a seat or waits for one.
  ///
  /// Between ticks it goes into the inbox, which the next tick applies first of all. What comes within a tick is behind
  /// all that came before, so it is applied at once, without a copy.
  ///
  /// - Returns: whether more may be read from the member now, as ``mayReceive(from:now:)`` tells it.
  package func receive(_ type: MessageType, _ body: Span<UInt8>, from delivery: Delivery, now: Instant) -> Bool {
    let cost = Inbox.cost(body)
    context.input.add(cost)
    delivery.waitingBytes += cost
    if type == .input {
      delivery.waitingInputs += InputTurn.units(body)
    } else {
      delivery.seat?.bucket.charge(now: now)
    }
    if isTakingIn { apply(type, body, from: delivery) } else { inbox.append(type, body, from: delivery) }
    return type == .input ? hasRoom(for: delivery) : mayReceive(from: delivery, now: now)
  }

  /// Whether more may be read from a member: it has not used up its rate, nor the room that there is for what waits. What it
  /// sends meanwhile stays in its socket, so that it waits for itself and for nobody else.
  package func mayReceive(from delivery: Delivery, now: Instant) -> Bool {
    !(delivery.seat?.bucket.isSpent(now: now) ?? false) && hasRoom(for: delivery)
  }

  private func hasRoom(for delivery: Delivery) -> Bool {
    delivery.waitingBytes < kind.limits.inboxBytes.bytes && context.input.allows(delivery.waitingBytes)
  }

  /// Seats that this tick may give.
  private var mostAdmissions: Int {
    let most = kind.limits.admissionsPerTick
    return if case .upTo(let seats) = context.seats { min(most, seats) } else { most }
  }

  func applyInbox() {
    guard !inbox.isEmpty else { return eventShares.beginWithoutBound() }
    shareEvents()
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
    if delivery.awaitsSeat { return putOff(type, body, delivery) }
    if type == .input { return applyInput(body, from: delivery) }
    if delivery.putOffAt == tick { return putOff(type, body, delivery) }
    // Who leaves gets Joined first, then Left.
    if type == .leave, delivery.position == .joining || delivery.position == .resuming {
      return putOff(type, body, delivery)
    }
    if type == .event, delivery.seat != nil, !fits(event: body, of: delivery) { return putOff(type, body, delivery) }
    takeOff(body, delivery)
    guard !delivery.isCondemned, let seat = delivery.seat, let fault = fault(of: type, body, from: delivery, seat)
    else {
      return
    }
    evict(delivery, .malformed, "\(type): \(fault)")
  }

  /// It does not wait any more.
  private func takeOff(_ body: Span<UInt8>, _ delivery: Delivery) {
    delivery.waitingBytes -= Inbox.cost(body)
    context.input.add(-Inbox.cost(body))
  }

  private func applyInput(_ body: Span<UInt8>, from delivery: Delivery) {
    let units = InputTurn.units(body)
    delivery.waitingInputs -= units
    guard !delivery.isCondemned, let seat = delivery.seatReference else { return takeOff(body, delivery) }
    let fault = seat._withUnsafeGuaranteedRef { seat -> WireError? in
      switch seat.inputs.verdict(
        units: units, behind: delivery.waitingInputs, isTakenIn: isTakingIn, tick: tick, limit: kind.inputsPerTick)
      {
      case .wait:
        delivery.waitingInputs += units
        inbox.append(.input, body, from: delivery)
        return nil
      case .drop:
        takeOff(body, delivery)
        seat.inputs.drop()
        delivery.standing.pointee.hasDropped = true
        counters.inputsDropped += 1
        return nil
      case .apply:
        takeOff(body, delivery)
        return faultOfInput(body, seat)
      }
    }
    guard let fault else { return }
    evict(delivery, fault.code == .outOfRange ? .invalidInput : .malformed, "\(MessageType.input): \(fault)")
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

  /// Gives those whose events wait their shares of what the tick has, when it has not enough for all.
  private func shareEvents() {
    let budget = kind.limits.eventBytesPerTick.bytes
    guard inbox.eventBytes > budget else { return eventShares.beginWithoutBound() }
    var (members, queues): ([Delivery], [EventShares.Queue]) = ([], [])
    for item in inbox.items {
      guard case .message(let delivery, .event, let range) = item.entry else { continue }
      let bytes = EventShares.bytes(of: inbox.bytes.span.extracting(range))
      guard bytes > 0 else { continue }
      if delivery.events.joins(queues.count, in: tick.rawValue) {
        members.append(delivery)
        queues.append(EventShares.Queue(served: delivery.events.served))
      }
      queues[delivery.events.queue].sizes.append(bytes)
    }
    eventShares.begin(budget: budget, among: &queues)
    for (delivery, queue) in zip(members, queues) { delivery.events.take(queue) }
  }

  /// Whether a member's event can be raised in this tick: a tick's events are bounded.
  private func fits(event body: Span<UInt8>, of delivery: Delivery) -> Bool {
    // One that is too large for any tick does not wait: it is refused when it is read.
    let bytes = EventShares.bytes(of: body)
    guard bytes > 0, body.count <= kind.limits.payloadBytes.bytes + RoomEvent.overhead else { return true }
    guard tickEvents.count + bytes <= kind.limits.eventBytesPerTick.bytes else { return false }
    guard eventShares.isBound else { return true }
    // Those that came in time for this tick have been given all of it.
    return !isTakingIn && delivery.events.spend(bytes)
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
    if let last = seat.inputs.last, reader.sequence <= last { throw WireError(.outOfRange, at: 0, "sequence") }
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
    seat.inputs.apply(reader.sequence)
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
