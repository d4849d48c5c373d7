package import WireFormat

/// Who is in the room: joining, leaving, losing a connection and coming back.
extension Room {
  // MARK: From the shell, between ticks

  /// Asks for a seat; the next tick answers with an effect.
  package func requestSeat(_ request: JoinRequest) {
    request.delivery.awaitsSeat = true
    inbox.append(.join(request))
  }

  /// The member's connection is gone: nothing of it is held any more, so its stream must be closed already. The seat
  /// waits for the grace period, or is given up in the next tick when the client will not come back.
  package func detach(_ delivery: Delivery, keepsSeat: Bool, now: Instant) {
    removeAttached(delivery)
    delivery.close(pool: context.pool)
    // A superseded connection has no seat any more: it can't touch the one that it had.
    guard let seat = delivery.seat, seat.delivery === delivery else { return }
    seat.delivery = nil
    // What it said in its last moments still counts: a Leave, then the end, is a way to leave.
    if keepsSeat, !delivery.isCondemned { seat.parting = delivery } else { delivery.seat = nil }
    seat.absence = (now, keepsSeat)
    seat.connectionLost()
    away.append(seat)
    seatCharges.append(SeatCharge(seat.address, present: -1, absent: 1))
    inbox.append(.away(seat))
  }

  /// How a resume went.
  package enum Resumption {
    /// The connection serves the seat now; an older one to end may be given.
    case resumed(superseded: Delivery?)
    /// The seat is gone, or what the client missed is no longer kept.
    case stale
  }

  /// Puts a connection on the seat of a session that had another one before. The seat is charged to its address now.
  package func resume(_ seat: Seat, with delivery: Delivery, from point: ResumePoint, now: Instant) -> Resumption {
    guard !seat.isFreed, !isClosed, seat.absence?.mayReturn ?? true else { return .stale }
    var cursor = frames.number(of: point.lastTick)
    // Cut between a keyframe and its events: frames alone would not make up for them.
    if let number = cursor, frames.frame(number).lastEvent != point.lastEvent { cursor = nil }
    guard events.reaches(back: point.lastEvent), seat.hasWhispers(after: point.lastWhisper) else { return .stale }
    let older = seat.delivery
    // Only parted from the seat: its bytes in flight stay pinned until the shell has closed its stream.
    if let older {
      removeAttached(older)
      older.seat = nil
    }
    away.remove(seat)
    refundCharge(of: seat)
    seat.address = delivery.address
    seatCharges.append(SeatCharge(seat.address, present: 1, absent: 0))
    seat.part()
    seat.absence = nil
    seat.openCalls.removeAll()
    attach(delivery, to: seat)
    delivery.position = .resuming
    delivery.cursor = cursor ?? 0
    delivery.lastEvent = point.lastEvent
    delivery.resumeWhisper = point.lastWhisper
    delivery.ackDue = seat.inputs.last
    delivery.standing.pointee.hasDropped = seat.inputs.dropped > 0
    counters.resumes += 1
    inbox.append(.back(seat))
    return .resumed(superseded: older)
  }

  // MARK: In a tick

  func admit(_ request: JoinRequest) {
    let delivery = request.delivery
    delivery.awaitsSeat = false
    guard delivery.position != .closed else { return }
    if context.seats == .refused {
      effects.append(.refused(delivery, .shortOfMemory("for another player")))
      return
    }
    if let (refusal, text) = refusal(of: request.join) {
      let retryAfter = refusal == .draining ? LameDuck.retryMilliseconds : nil
      effects.append(.refused(delivery, JoinRefused(refusal, retryAfterMilliseconds: retryAfter, text: text)))
      return
    }
    guard let id = playerIDs.take(at: tick) else {
      // There are more ids than seats.
      effects.append(.refused(delivery, JoinRefused(.roomFull, text: "all player ids are in use")))
      return
    }
    generations &+= 1
    let bucket = TokenBucket(
      perSecond: kind.limits.messagesPerSecond, burst: kind.limits.messageBurst, now: now,
      inPlaceOf: delivery.formerBucket)
    let seat = Seat(
      player: PlayerID(rawValue: id), generation: generations, session: request.session, bucket: bucket,
      address: delivery.address, since: now)
    while seats.count <= Int(id) { seats.append(nil) }
    seats[Int(id)] = seat
    seatCount += 1
    counters.joins += 1
    context.seats.take()
    delivery.knownSchema = request.join.schemaHash
    attach(delivery, to: seat)
    delivery.position = .joining
    newcomers.append(delivery)
    raiseSystem(.playerJoined, seat)
    effects.append(.seated(delivery, seat))
    seatCharges.append(SeatCharge(seat.address, present: 1, absent: 0))
    calling(.joined) { logic.joined(seat.player, options: request.join.options, in: self) }
  }

  private func refusal(of join: Join) -> (JoinRefusal, String)? {
    if deadline != nil, !acceptsPlayersWhileEnding {
      return (.draining, "the server is shutting down: this room takes no new players")
    }
    if isLocked { return (.roomLocked, "the room is locked") }
    if seatCount >= kind.capacity, away.toYield() == nil {
      return (.roomFull, "all \(kind.capacity) seats are taken")
    }
    if join.strictSchema, join.schemaHash != kind.schema.hash {
      return (.schemaMismatch, "the room's schema has another hash: update the client, or join without the strict flag")
    }
    switch answer(to: join.options) {
    case .admit: return nil
    case .full(let text): return (.roomFull, text)
    case .reject(let text): return (.rejected, text)
    }
  }

  /// What the game says to a newcomer; of a full room an absent seat makes way, unless the game wants somebody else.
  private func answer(to options: [UInt8]) -> Admission {
    let ask = { [self] in calling(.admit) { logic.admit(options: options, in: self) } }
    let answer = ask()
    if case .reject = answer { return answer }
    guard seatCount >= kind.capacity, let seat = away.toYield() else { return answer }
    free(seat)
    counters.seatsYielded += 1
    // What was full may have been full of what that player had.
    return answer == .admit ? answer : ask()
  }

  /// Gives a seat up: notice to all, the game's word, its entities removed.
  func free(_ seat: Seat) {
    guard !seat.isFreed else { return }
    seat.isFreed = true
    freedSeats.append(seat)
    if let delivery = seat.delivery {
      removeAttached(delivery)
      delivery.seat = nil
      delivery.formerBucket = seat.bucket
      delivery.returnToLobby(pool: context.pool)
      seat.delivery = nil
    }
    away.remove(seat)
    seat.part()
    calling(.left) { logic.left(seat.player, in: self) }
    for entity in entities(of: seat.player) { remove(entity) }
    seat.releaseWhispers(pool: context.pool)
    seats[Int(seat.player.rawValue)] = nil
    seatCount -= 1
    counters.leaves += 1
    playerIDs.giveBack(seat.player.rawValue, at: tick)
    if seatCount == 0 { emptySince = now }
    if !isClosed { raiseSystem(.playerLeft, seat) }
    effects.append(.freed(session: seat.session))
    refundCharge(of: seat)
  }

  /// The seat of a player; nil for one who is not here, whatever the number.
  func seat(of player: PlayerID) -> Seat? {
    Int(player.rawValue) < seats.count ? seats[Int(player.rawValue)] : nil
  }

  func freeOverdueSeats() {
    guard !away.isEmpty, !context.isCatchingUp else { return }
    let grace = kind.limits.grace.wholeNanoseconds
    // Apart from the list, which changes on the way.
    let overdue = away.seats.filter { $0.isOverdue(grace: grace, now: now) }
    for seat in overdue { free(seat) }
  }

  private func attach(_ delivery: Delivery, to seat: Seat) {
    delivery.seat = seat
    seat.delivery = delivery
    delivery.pace.begin(now: now)
    delivery.slot = attached.count
    attached.append(delivery)
    standings.append(delivery.standing)
  }

  private func refundCharge(of seat: Seat) {
    let isAbsent = seat.absence != nil
    seatCharges.append(SeatCharge(seat.address, present: isAbsent ? 0 : -1, absent: isAbsent ? -1 : 0))
  }

  private func removeAttached(_ delivery: Delivery) {
    let slot = delivery.slot
    guard slot >= 0 else { return }
    delivery.slot = -1
    let last = attached.removeLast()
    standings.removeLast()
    guard last !== delivery else { return }
    attached[slot] = last
    standings[slot] = last.standing
    last.slot = slot
  }
}
