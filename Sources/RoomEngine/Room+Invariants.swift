package import WireFormat

/// The engine's books, checked by tests and the simulation after every step. Never called in a server: each check visits
/// everything that is held. In release builds too, or the simulation would prove another engine than the one that ships.
extension Room {
  /// The whole state as of the newest frame, as a Frame message.
  package func withKeyframe<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    body(currentKeyframe().bytes)
  }

  /// Number of the last reliable event raised, in this tick or before.
  package var lastRaised: UInt64 { events.last + UInt64(tickReliableCount) }

  /// Generation of a player's seat, or nil without one.
  package func generation(of player: PlayerID) -> UInt32? { seat(of: player)?.generation }

  /// Number of the last reliable whisper to a player, or nil without a seat.
  package func lastWhisper(to player: PlayerID) -> UInt64? { seat(of: player)?.lastWhisper }

  /// What does not add up, or nothing.
  ///
  /// - Parameter deliveries: all that are open, with a seat or without; no other room shares the buffer pool.
  package func imbalances(with deliveries: [Delivery]) -> [String] {
    memberImbalances() + ownerImbalances() + bufferImbalances(deliveries) + excesses(deliveries)
  }

  private func ownerImbalances() -> [String] {
    var listed: [EntityID: PlayerID] = [:]
    var wrong: [String] = []
    for player in players {
      owned.forEach(of: player) { entity in
        if listed.updateValue(player, forKey: entity) != nil { wrong.append("\(entity) is listed twice") }
      }
    }
    for index in tables.indices {
      let table = tables[index].current
      table.forEach { id in
        let entity = EntityID(kind: KindIndex(UInt8(index)), id: UInt16(id))
        if listed.removeValue(forKey: entity) != table.owner(of: id) {
          wrong.append("\(entity) is listed with another owner")
        }
      }
    }
    if !listed.isEmpty { wrong.append("\(listed.count) entities that are gone are listed with owners") }
    return wrong
  }

  private func memberImbalances() -> [String] {
    var wrong: [String] = []
    for (slot, delivery) in attached.enumerated() {
      if delivery.slot != slot {
        wrong.append("member \(delivery.tag) in slot \(slot) believes to be in \(delivery.slot)")
      }
      if standings.count != attached.count || standings[slot] != delivery.standing {
        wrong.append("member \(delivery.tag) is listed with another's standing")
      }
      let burdens = delivery.standing.pointee.burdens
      if burdens.contains(.writeInFlight) == delivery.flight.isEmpty
        || burdens.contains(.messages) != (delivery.outbox.buffer != nil)
        || burdens.contains(.paced) != (delivery.pace.state != .fast)
      {
        wrong.append("the standing of member \(delivery.tag) does not say what waits for it")
      }
      if delivery.seat?.delivery !== delivery { wrong.append("member \(delivery.tag) has no seat that knows it") }
      if delivery.state == .lobby || delivery.state == .closed {
        wrong.append("member \(delivery.tag): \(delivery.state)")
      }
    }
    var attachedSeats = 0
    for (id, seat) in seats.enumerated() {
      guard let seat else { continue }
      if Int(seat.player.rawValue) != id || seat.isFreed { wrong.append("seat \(id) is not its player's") }
      let isAway = away.seats.count { $0 === seat }
      if isAway != (seat.delivery == nil ? 1 : 0) { wrong.append("seat \(id) is listed as away \(isAway) times") }
      if let delivery = seat.delivery {
        attachedSeats += 1
        if delivery.seat !== seat { wrong.append("the connection of seat \(id) does not know it") }
      }
    }
    if attachedSeats != attached.count {
      wrong.append("\(attachedSeats) seats are served, \(attached.count) members listed")
    }
    if seats.count(where: { $0 != nil }) != seatCount { wrong.append("seats are counted as \(seatCount)") }
    for (slot, seat) in away.seats.enumerated() where seat.awaySlot != slot {
      wrong.append("an absent seat in slot \(slot) believes to be in \(seat.awaySlot)")
    }
    if !away.isBalanced { wrong.append("absent seats are not charged to the addresses of their players") }
    for seat in away.seats where seats[Int(seat.player.rawValue)] !== seat {
      wrong.append("a seat given up is listed as away")
    }
    return wrong
  }

  /// Who or what holds more bytes than the limits allow.
  private func excesses(_ deliveries: [Delivery]) -> [String] {
    var wrong: [String] = []
    func expect(_ bytes: Int, atMost most: Int, _ who: @autoclosure () -> String) {
      if bytes > most { wrong.append("\(who()) holds \(bytes) bytes, at most \(most) are allowed") }
    }
    let limits = kind.limits
    let heldBytesBound = kind.heldBytesBound
    for delivery in deliveries {
      expect(delivery.heldBytes, atMost: heldBytesBound, "connection \(delivery.tag) (\(delivery.state))")
      // The message that fills it is taken whole.
      expect(
        delivery.waitingBytes, atMost: limits.inboxBytes.bytes + WireLimits.clientMessageBytes,
        "the inbox of connection \(delivery.tag)")
    }
    for seat in seats {
      guard let seat else { continue }
      expect(seat.whisperBytes, atMost: limits.backlogBytes.bytes, "the seat of player \(seat.player.rawValue)")
    }
    if frames.frames.count > 1 { expect(frames.bytes, atMost: limits.frameLogBytes.bytes, "the frame log") }
    expect(frames.frames.count, atMost: limits.frameLogFrames, "the frame log, in frames: it")
    expect(events.bytes, atMost: limits.eventLogBytes.bytes, "the event log")
    return wrong
  }

  /// Compares the holders of every buffer with those who hold it.
  private func bufferImbalances(_ deliveries: [Delivery]) -> [String] {
    var held: [ObjectIdentifier: (buffer: PooledBuffer, holders: Int)] = [:]
    func hold(_ buffer: PooledBuffer?) {
      if let buffer { held[ObjectIdentifier(buffer), default: (buffer, 0)].holders += 1 }
    }
    frames.forEachBuffer(hold)
    events.forEachBuffer(hold)
    hold(keyframe?.buffer)
    hold(tickEvents.buffer)
    hold(tickReliable.buffer)
    for seat in seats {
      guard let seat else { continue }
      for offset in 0..<seat.whispers.count { hold(seat.whispers[offset].message) }
    }
    for delivery in deliveries {
      hold(delivery.outbox.buffer)
      hold(delivery.greeting.buffer)
      for piece in delivery.flight { hold(piece.buffer) }
    }
    var wrong: [String] = []
    for (buffer, holders) in held.values where buffer.holders != holders {
      wrong.append("a buffer of \(buffer.count) bytes has \(buffer.holders) holders, \(holders) were found")
    }
    let leased = context.pool.usage.leasedBuffers
    if leased != held.count { wrong.append("\(leased) buffers are leased, \(held.count) are held") }
    return wrong
  }
}

extension FrameLog {
  func forEachBuffer(_ body: (PooledBuffer) -> Void) {
    for offset in 0..<frames.count { body(frames[offset].buffer) }
  }
}

extension EventLog {
  func forEachBuffer(_ body: (PooledBuffer) -> Void) {
    for offset in 0..<blocks.count { body(blocks[offset].buffer) }
    for missed in missedMessages { body(missed.buffer) }
  }
}
