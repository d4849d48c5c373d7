import WireFormat

/// Keeps what is on its way to each member fresh; see ``LinkPace``.
extension Room {
  /// A member's client has answered a ping.
  ///
  /// - Returns: whether to ask now what is to be written next, rather than after the next tick. Within a tick nothing is:
  ///   all members are asked at its end.
  package func confirm(_ token: UInt64, by delivery: Delivery, now: Instant) -> Bool {
    guard delivery.seat != nil, delivery.pace.confirm(token, frameBytes: frames.totalBytes, now: now) else {
      return false
    }
    delivery.noteProgress(now: now)
    // Something younger is there soon: it is worth the wait for half a tick, and no more.
    let isYoung = now.nanoseconds(since: self.now) <= kind.tickNanoseconds / 2
    return delivery.pace.state != .fast && !isTakingIn && isYoung
  }

  /// To be called for every member some times a second: asks a fast one for a sign that it reads, with the next frame, and
  /// looks whether the last one came.
  ///
  /// - Parameter isJudged: false right after the server itself stood still.
  package func watch(_ delivery: Delivery, isJudged: Bool, now: Instant) {
    guard delivery.position == .live, delivery.pace.state == .fast else { return }
    if isJudged { delivery.pace.judge(now: now) }
    guard hasRoomForProbe(delivery),
      let token = delivery.pace.takeFastProbe(frameBytes: frames.totalBytes, stagger: delivery.tag, now: now)
    else { return }
    _ = delivery.outbox.append(bound: Self.probeBound, limit: kind.limits.backlogBytes.bytes, pool: context.pool) {
      Ping.encode(token: token, into: &$0)
    }
  }

  /// How many bytes a member's kernel holds is to be told with ``kernelIsEmpty(for:now:)``: no answer comes.
  ///
  /// - Parameter answersWait: answers may lie in what the server itself has not read yet.
  package func asksKernel(about delivery: Delivery, answersWait: Bool = false, now: Instant) -> Bool {
    delivery.seat != nil && !delivery.hasWriteInFlight && delivery.pace.asksKernel(answersWait: answersWait, now: now)
  }

  /// A member's kernel has acknowledged everything; what waits may go.
  package func kernelIsEmpty(for delivery: Delivery, answersWait: Bool = false, now: Instant) {
    if answersWait { return delivery.pace.kernelIsEmptyWhileAnswersWait() }
    delivery.pace.kernelIsEmpty(frameBytes: frames.totalBytes, now: now)
  }

  /// Whether a member has taken nothing, or too little, for longer than the limits allow; says how.
  package func overdue(_ delivery: Delivery, now: Instant) -> String? {
    context.isCatchingUp
      ? nil : delivery.overdue(kind.limits, keyframeBytes: keyframeBytes ?? 0, awakeSince: awakeSince, now: now)
  }

  // MARK: Inside

  /// A token is a number from 1.
  private static let probeBound = 10 + messageOverhead

  /// Whether a member that lacks frames may get something now.
  func opening(for delivery: Delivery, now: Instant) -> LinkPace.Opening {
    guard delivery.pace.state != .fast else { return .open }
    if delivery.pace.needsBase {
      let missing = frames.reaches(back: delivery.cursor) ? frames.bytes(after: delivery.cursor) : 0
      delivery.pace.setBase(frameBytes: frames.totalBytes - missing)
    }
    return delivery.pace.opening(now: now)
  }

  /// Whether the newest state comes sooner as a keyframe than as the frames that lead there.
  func prefersKeyframe(_ delivery: Delivery, after patienceNanoseconds: UInt64) -> Bool {
    let missing = frames.bytes(after: delivery.cursor)
    guard missing > 0, missing > UInt64(keyframeBytes ?? 0), events.reaches(back: delivery.lastEvent) else {
      return false
    }
    let isSlow =
      if let expected = delivery.pace.nanoseconds(for: missing) {
        expected > patienceNanoseconds
      } else {
        UInt64(frames.headTick.rawValue - frames.frame(delivery.cursor + 1).tick.rawValue) * kind.tickNanoseconds
          > 2 * patienceNanoseconds
      }
    return isSlow && missing > UInt64(currentKeyframe().count)
  }

  /// Appends a probe in front of what else is planned, when one is of use.
  func appendLead(to delivery: Delivery, isNeeded: Bool = false, now: Instant) {
    guard let token = delivery.pace.takeLead(isNeeded: isNeeded, now: now) else { return }
    // An empty buffer has room for it.
    _ = delivery.greeting.append(bound: Self.probeBound, limit: .max, pool: context.pool) {
      Ping.encode(token: token, into: &$0)
    }
  }

  /// Appends a probe behind what else is planned, when one is due.
  func appendTrail(to delivery: Delivery, now: Instant) {
    guard hasRoomForProbe(delivery), let token = delivery.pace.takeTrail(now: now) else { return }
    _ = delivery.outbox.append(bound: Self.probeBound, limit: kind.limits.backlogBytes.bytes, pool: context.pool) {
      Ping.encode(token: token, into: &$0)
    }
  }

  private func hasRoomForProbe(_ delivery: Delivery) -> Bool {
    delivery.outbox.count + Self.probeBound <= kind.limits.backlogBytes.bytes
  }
}
