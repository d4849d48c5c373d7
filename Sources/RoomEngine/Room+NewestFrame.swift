public import CPrefetch
import WireFormat

/// The way that most frames go: to members who have all the others and wait for nothing else. All that is looked at for
/// each of them is its ``Standing``; everyone else is left to ``planWrite(for:now:)``.
extension Room {
  /// Offers a connection's socket the newest frame, with the acknowledgement of an input behind it where one is due.
  ///
  /// - Returns: how many bytes it took, 0 when it is blocked; below 0 when it failed, which the next write will tell.
  @usableFromInline
  package typealias Offer = (_ tag: Int, _ bytes: UnsafeRawBufferPointer) -> Int

  /// Delivers the newest frame to all members who lack nothing else.
  ///
  /// Inlined into the caller, with what it does for each member: two calls each would be a fifth of what a frame costs.
  ///
  /// - Parameters:
  ///   - offer: must not change the room, nor keep the bytes.
  ///   - others: called for everyone else, once all have been offered their frame. What one of them has taken a part of
  ///     is its write in flight, for the caller to start.
  @inlinable
  package func deliverNewestFrame(now: Instant, _ offer: Offer, others: (Delivery) -> Void) {
    let round = beginRound()
    round.standings.withUnsafeBufferPointer { standings in
      for slot in standings.indices {
        let standing = standings[slot]
        // The kernel leaves little in the caches: what comes next is fetched while this member's frame is on its way.
        prefetch_for_write(standings[min(slot + 1, standings.count - 1)])
        guard standing.pointee.burdens.rawValue == 0, standing.pointee.cursor == round.previous else {
          offerOnce(to: slot, round, now: now, offer)
          continue
        }
        let taken = offer(standing.pointee.tag, round.bytes)
        if taken == round.bytes.count {
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
    /// The newest frame; empty before the first.
    @usableFromInline let bytes: UnsafeRawBufferPointer
    /// Room behind the frame, of ``InputAck/bound`` bytes, for the acknowledgement of one member after the other. Nobody
    /// else's bytes: what the kernel did not take is sent from the frame and the member's outbox.
    let behind: UnsafeMutableRawBufferPointer
  }

  @usableFromInline
  func beginRound() -> Round {
    let buffer = frames.head > 0 ? frames.frame(frames.head).buffer : nil
    return Round(
      standings: standings, number: frames.head, previous: frames.head &- 1, lastEvent: frames.headEvent,
      bytes: buffer?.bytes ?? UnsafeRawBufferPointer(start: nil, count: 0),
      behind: buffer?.spare(InputAck.bound) ?? UnsafeMutableRawBufferPointer(start: nil, count: 0))
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
  func offerOnce(to slot: Int, _ round: Round, now: Instant, _ offer: Offer) {
    let standing = standings[slot]
    guard round.number > 0, standing.pointee.burdens.isSubset(of: [.ack, .lag]) else {
      return leave(slot, -1, now: now)
    }
    if standing.pointee.cursor == round.number, standing.pointee.ackDue == nil {
      standing.pointee.behindSince = nil
      return
    }
    guard standing.pointee.cursor == round.previous else { return leave(slot, -1, now: now) }
    var bytes = round.bytes
    if let sequence = standing.pointee.ackDue {
      var out = OutputRawSpan(buffer: round.behind, initializedCount: 0)
      let ack = standing.pointee.hasDropped ? attached[slot].inputAck : nil
      (ack ?? InputAck(sequence: sequence)).encode(into: &out)
      bytes = UnsafeRawBufferPointer(start: bytes.baseAddress, count: bytes.count + out.finalize(for: round.behind))
    }
    let taken = offer(standing.pointee.tag, bytes)
    guard taken == bytes.count else { return leave(slot, taken, now: now) }
    standing.pointee.cursor = round.number
    standing.pointee.lastEvent = round.lastEvent
    standing.pointee.ackDue = nil
    standing.pointee.behindSince = nil
  }

  /// The socket took `taken` bytes of what it was offered: the rest is the write in flight.
  private func pin(_ frame: FrameLog.Frame, _ taken: Int, for delivery: Delivery, now: Instant) {
    let plan = context.plan
    plan.reset()
    plan.add(.frame(frames.head, frame), frame.buffer.bytes)
    // An empty outbox has room for it.
    if appendAck(to: delivery) { addOutbox(of: delivery, to: plan) }
    _ = delivery.took(taken, of: plan, pool: context.pool, now: now)
  }
}
