public import CPrefetch
import WireFormat

/// The way that most frames go: to members who have all the others and wait for nothing else. All that is looked at for
/// each of them is its ``Standing``; everyone else is left to ``planWrite(for:now:)``.
extension Room {
  /// Offers a connection's socket the newest frame and, after it, the acknowledgement of an input, which may be empty.
  ///
  /// - Returns: how many bytes it took, 0 when it is blocked; below 0 when it failed, which the next write will tell.
  @usableFromInline
  package typealias Offer = (_ tag: Int, _ ack: UnsafeRawBufferPointer) -> Int

  /// What ``deliverNewestFrame(now:_:others:)`` is about to deliver; empty before the first frame.
  package var newestFrame: UnsafeRawBufferPointer {
    frames.head > 0 ? frames.frame(frames.head).buffer.bytes : UnsafeRawBufferPointer(start: nil, count: 0)
  }

  /// Delivers ``newestFrame`` to all members who lack nothing else.
  ///
  /// Inlined into the caller, with what it does for each member: two calls each would be a fifth of what a frame costs.
  ///
  /// - Parameters:
  ///   - offer: must not change the room.
  ///   - others: called for everyone else, once all have been offered their frame. What one of them has taken a part of
  ///     is its write in flight, for the caller to start.
  @inlinable
  package func deliverNewestFrame(now: Instant, _ offer: Offer, others: (Delivery) -> Void) {
    let round = beginRound()
    let none = UnsafeRawBufferPointer(start: nil, count: 0)
    round.standings.withUnsafeBufferPointer { standings in
      for slot in standings.indices {
        let standing = standings[slot]
        // The kernel leaves little in the caches: what comes next is fetched while this member's frame is on its way.
        prefetch_for_write(standings[min(slot + 1, standings.count - 1)])
        guard standing.pointee.burdens.rawValue == 0, standing.pointee.cursor == round.previous else {
          offerOnce(to: slot, now: now, offer)
          continue
        }
        let taken = offer(standing.pointee.tag, none)
        if taken == round.bytes {
          standing.pointee.cursor = round.number
          standing.pointee.lastEvent = round.lastEvent
        } else {
          leave(slot, taken, now: now)
        }
      }
    }
    endRound(others)
  }

  /// What all members of a round have in common.
  @usableFromInline
  struct Round {
    /// In the order of ``attached``.
    @usableFromInline let standings: ContiguousArray<UnsafeMutablePointer<Standing>>
    @usableFromInline let number: UInt64
    /// Number of the frame before; before the first frame one that nobody has.
    @usableFromInline let previous: UInt64
    @usableFromInline let lastEvent: UInt64
    @usableFromInline let bytes: Int
  }

  @usableFromInline
  func beginRound() -> Round {
    Round(
      standings: standings, number: frames.head, previous: frames.head &- 1, lastEvent: frames.headEvent,
      bytes: newestFrame.count)
  }

  @usableFromInline
  func endRound(_ others: (Delivery) -> Void) {
    guard !roundRest.isEmpty else { return }
    var rest: ContiguousArray<Delivery> = []
    swap(&rest, &roundRest)
    for delivery in rest { others(delivery) }
    rest.removeAll(keepingCapacity: true)
    swap(&rest, &roundRest)
  }

  /// Leaves a member, whose socket took `taken` bytes of what it was offered, to be looked at when the round is over.
  @usableFromInline
  func leave(_ slot: Int, _ taken: Int, now: Instant) {
    if taken >= 0 { pin(frames.frame(frames.head), taken, for: attached[slot], now: now) }
    roundRest.append(attached[slot])
  }

  /// Serves, or leaves, a member who may lack more than the newest frame, or nothing.
  @usableFromInline
  func offerOnce(to slot: Int, now: Instant, _ offer: Offer) {
    let standing = standings[slot]
    guard frames.head > 0, standing.pointee.burdens.isSubset(of: [.ack, .lag]) else { return leave(slot, -1, now: now) }
    if standing.pointee.cursor == frames.head, standing.pointee.ackDue == nil {
      standing.pointee.behindSince = nil
      return
    }
    guard standing.pointee.cursor == frames.head - 1 else { return leave(slot, -1, now: now) }
    withUnsafeTemporaryAllocation(byteCount: InputAck.bound, alignment: 1) { space in
      var out = OutputRawSpan(buffer: space, initializedCount: 0)
      if let sequence = standing.pointee.ackDue { InputAck.encode(sequence: sequence, into: &out) }
      let ack = UnsafeRawBufferPointer(rebasing: space[..<out.finalize(for: space)])
      let taken = offer(standing.pointee.tag, ack)
      guard taken == newestFrame.count + ack.count else { return leave(slot, taken, now: now) }
      standing.pointee.cursor = frames.head
      standing.pointee.lastEvent = frames.headEvent
      standing.pointee.ackDue = nil
      standing.pointee.behindSince = nil
    }
  }

  /// The socket took `taken` bytes of what it was offered: the rest is the write in flight.
  private func pin(_ frame: FrameLog.Frame, _ taken: Int, for delivery: Delivery, now: Instant) {
    let plan = context.plan
    plan.reset(pool: context.pool)
    plan.add(.frame(frames.head, frame), frame.buffer.bytes)
    // An empty outbox has room for it.
    if appendAck(to: delivery) { addOutbox(of: delivery, to: plan) }
    _ = delivery.took(taken, of: plan, pool: context.pool, now: now)
  }
}
