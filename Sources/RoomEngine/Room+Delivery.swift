import WireFormat

/// What a member gets next: the whole policy for slow members in one place.
extension Room {
  /// What to do for a member now.
  package enum Next: Equatable {
    /// Write the plan's slices, then report what was taken with ``Delivery/took(_:of:pool:now:)`` and ask again.
    case write
    /// Nothing to write, or a write is in flight.
    case wait
    /// It has had its chances; the text says which.
    case evict(String)
  }

  /// Plans the next write of an attached member into the loop's plan.
  package func planWrite(for delivery: Delivery, now: Instant) -> Next {
    let plan = context.plan
    plan.reset()
    guard let seat = delivery.seat else { return .wait }
    guard !delivery.hasWriteInFlight else {
      // Joined will tell who was there when it was seated; the events since then tell the rest.
      if delivery.position == .joining, delivery.seatedPlayers == nil { delivery.seatedPlayers = players }
      return .wait
    }
    switch delivery.position {
    case .lobby, .closed: return .wait
    case .joining:
      guard mayLeaseMissed(delivery, now) else { return .wait }
      guard greet(delivery, seat, isResumed: false) else { return .evict(backlogText) }
      return planResync(of: delivery, plan, now)
    case .resuming:
      guard seat.hasWhispers(after: delivery.resumeWhisper) else {
        return .evict("the whispers it missed are no longer kept")
      }
      guard mayLeaseMissed(delivery, now) else { return .wait }
      // Beyond its pace it waits, for a second at most: a loop of resumes would cost a keyframe each.
      guard seat.resumePace.take(now: now) else { return .wait }
      guard greet(delivery, seat, isResumed: true) else { return .evict(backlogText) }
      return planResume(of: delivery, plan, now)
    case .live: return planNext(for: delivery, plan, now)
    }
  }

  /// Frames, a keyframe in their place, or nothing yet; behind them its own messages.
  private func planNext(for delivery: Delivery, _ plan: WritePlan, _ now: Instant) -> Next {
    if delivery.cursor < frames.head {
      switch opening(for: delivery, now: now) {
      case .open: break
      case .closed:
        delivery.holdBack(now: now)
        return .wait
      case .probeOnly:
        delivery.holdBack(now: now)
        appendLead(to: delivery, isNeeded: true, now: now)
        addGreeting(of: delivery, to: plan)
        return .write
      }
      let reaches = frames.reaches(back: delivery.cursor)
      if !reaches || prefersKeyframe(delivery, after: Self.framesNanoseconds) {
        guard mayLeaseMissed(delivery, now) else { return .wait }
        delivery.letGo()
        guard appendAck(to: delivery) else { return .evict(backlogText) }
        counters.skips += 1
        return planResync(of: delivery, plan, now)
      }
      appendLead(to: delivery, now: now)
    }
    delivery.letGo()
    guard appendAck(to: delivery) else { return .evict(backlogText) }
    addGreeting(of: delivery, to: plan)
    addFrames(after: delivery.cursor, to: plan)
    if !plan.isCut {
      if !plan.parts.isEmpty { appendTrail(to: delivery, now: now) }
      addOutbox(of: delivery, to: plan)
    }
    guard plan.parts.isEmpty else { return .write }
    if delivery.pace.isSteady || delivery.pace.unconfirmed == 0 { delivery.noteUpToDate() }
    return .wait
  }

  /// Frames that take a link no longer than this are not replaced by a keyframe, which has no transient events.
  private static let framesNanoseconds: UInt64 = 100_000_000

  /// A resume gets frames up to so many bytes: what it missed is then as if it had never been away.
  private static let resumeBytes: UInt64 = 16 * 1024

  /// Whether there is memory for the events that a member missed; if not it waits.
  private func mayLeaseMissed(_ delivery: Delivery, _ now: Instant) -> Bool {
    guard events.reaches(back: delivery.lastEvent) else { return true }
    let cost = events.missedCost(after: delivery.lastEvent)
    if cost == 0 || context.mayLease(cost) { return true }
    delivery.holdBack(now: now)
    return false
  }

  private var backlogText: String { "more than \(kind.limits.backlogBytes) of its own messages were waiting" }

  /// Greeting first, then either the frames it missed or a keyframe.
  private func planResume(of delivery: Delivery, _ plan: WritePlan, _ now: Instant) -> Next {
    guard delivery.cursor > 0, frames.reaches(back: delivery.cursor),
      frames.head - delivery.cursor <= UInt64(WritePlan.mostFrames),
      frames.bytes(after: delivery.cursor) <= max(Self.resumeBytes, UInt64(keyframeBytes ?? 0))
    else { return planResync(of: delivery, plan, now) }
    addGreeting(of: delivery, to: plan)
    addFrames(after: delivery.cursor, to: plan)
    if !plan.isCut {
      appendTrail(to: delivery, now: now)
      addOutbox(of: delivery, to: plan)
    }
    delivery.position = .live
    return .write
  }

  /// Greeting if there is one, keyframe, the reliable events missed, own messages.
  private func planResync(of delivery: Delivery, _ plan: WritePlan, _ now: Instant) -> Next {
    plan.isResync = true
    guard events.reaches(back: delivery.lastEvent) else {
      return .evict("the reliable events it missed are no longer kept")
    }
    // Who joins expects its Joined first.
    if delivery.position == .live { appendLead(to: delivery, now: now) }
    addGreeting(of: delivery, to: plan)
    let buffer = currentKeyframe()
    plan.add(.keyframe(buffer, number: frames.head, lastEvent: frames.headEvent), buffer.bytes)
    if let missed = events.missed(after: delivery.lastEvent, pool: context.pool) {
      plan.add(.events(missed), missed.bytes)
    }
    appendTrail(to: delivery, now: now)
    addOutbox(of: delivery, to: plan)
    return .write
  }

  private func addFrames(after cursor: UInt64, to plan: WritePlan) {
    guard cursor < frames.head else { return }
    let last = min(frames.head, cursor + UInt64(WritePlan.mostFrames))
    for number in (cursor + 1)...last {
      let frame = frames.frame(number)
      plan.add(.frame(number, frame), frame.buffer.bytes)
    }
    plan.isCut = last < frames.head
  }

  private func addGreeting(of delivery: Delivery, to plan: WritePlan) {
    if let bytes = delivery.greeting.buffer?.bytes { plan.add(.greeting, bytes) }
  }

  func addOutbox(of delivery: Delivery, to plan: WritePlan) {
    if let bytes = delivery.outbox.buffer?.bytes { plan.add(.outbox, bytes) }
  }

  func appendAck(to delivery: Delivery) -> Bool {
    guard let ack = delivery.inputAck else { return true }
    delivery.ackDue = nil
    return delivery.outbox.append(
      bound: InputAck.bound, limit: kind.limits.backlogBytes.bytes, pool: context.pool
    ) { ack.encode(into: &$0) }
  }

  /// Makes the greeting, once. It speaks of the newest frame, as the keyframe does that follows it.
  private func greet(_ delivery: Delivery, _ seat: Seat, isResumed: Bool) -> Bool {
    let schema = kind.schema
    let joined = Joined(
      isResumed: isResumed, player: seat.player, generation: seat.generation, tick: frames.headTick,
      tickRate: UInt32(kind.tickRate), startMicroseconds: startMicroseconds, lastEvent: delivery.lastEvent,
      lastWhisper: delivery.resumeWhisper, schemaHash: schema.hash,
      schema: isResumed || delivery.knownSchema == schema.hash ? nil : schema.encoded,
      players: isResumed ? nil : delivery.seatedPlayers ?? players)
    delivery.seatedPlayers = nil
    // Not a backlog: bounded by the schema's and the room's size, and by the whispers that a seat keeps.
    let limit = joined.bound + messageOverhead + kind.limits.backlogBytes.bytes
    guard
      delivery.greeting.append(
        bound: joined.bound + messageOverhead, limit: limit, pool: context.pool, { joined.encode(into: &$0) })
    else { return false }
    // A newcomer's wait in its outbox, in order with the transient ones.
    guard isResumed else { return true }
    for offset in 0..<seat.whispers.count where seat.whispers[offset].number > delivery.resumeWhisper {
      let message = seat.whispers[offset].message.bytes
      guard delivery.greeting.append(message, limit: limit, pool: context.pool) else { return false }
    }
    return true
  }
}
