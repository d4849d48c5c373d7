package import WireFormat

/// One step of the room and the frame it makes.
extension Room {
  /// Runs tick `number`: the inbox in arrival order, what members are read for only now, the game's own step, then one
  /// frame with everything that changed.
  ///
  /// - Parameter takeIn: calls ``receive(_:_:from:now:)`` with what has come and is not in the inbox; it has its effect
  ///   within that call.
  /// - Returns: whether a frame was sealed. Nothing changed, nothing raised, no heartbeat due: none is.
  @discardableResult
  package func run(_ number: Tick, now: Instant, takeIn: () -> Void = {}) -> Bool {
    // Ticks do not go back: what was sealed cannot be overtaken.
    guard !isClosed, number >= tick else { return false }
    tick = number
    if now.nanoseconds(since: self.now) > Self.pauseNanoseconds { awakeSince = now }
    self.now = now
    counters.ticks += 1
    faultsTold = 0
    if !freedSeats.isEmpty { freedSeats.removeAll() }
    if isDeadlineNews, let deadline {
      isDeadlineNews = false
      calling(.ending) { logic.ending(self, deadline: deadline) }
    }
    events.dropMissed(pool: context.pool)
    applyInbox()
    isTakingIn = true
    takeIn()
    isTakingIn = false
    // The shell may have come to its end on the way.
    guard !isClosed else { return false }
    calling(.tick) { logic.tick(self) }
    if tick >= Room.lastTick, ending == nil { end("the room has run for as long as ticks can be counted: join anew") }
    freeOverdueSeats()
    return seal()
  }

  /// The room ends with this tick, before the numbers do: a minute before at the highest rate. At 128 Hz that is after 388
  /// days, at 30 Hz after four and a half years.
  package static let lastTick = Tick(.max - 60 * 128)

  /// Between two ticks, more than the slowest room has: the server stood still.
  private static let pauseNanoseconds: UInt64 = 1_500_000_000

  private func seal() -> Bool {
    let pool = context.pool
    let scratch = pool.lease(kind.frameBound)
    defer { pool.release(scratch) }
    let hasEvents = tickEventCount > 0
    let firstReliable = events.last + 1
    var flags: UInt8 = hasEvents ? 2 : 0
    scratch.write { out in
      out.put(byte: flags)
      out.put(varint: UInt64(tick.rawValue))
      out.put(varint: UInt64(tick.rawValue - frames.headTick.rawValue))
      if hasEvents {
        out.put(varint: firstReliable)
        out.put(varint: tickEventCount)
        if let bytes = tickEvents.buffer?.bytes { out.put(raw: bytes) }
      }
      if context.encoder.encodeChanges(of: &tables, into: &out) { flags |= 4 }
    }
    let isDue = now.nanoseconds(since: lastSeal) >= heartbeatNanoseconds
    guard flags != 0 || isDue, tick > frames.headTick else { return false }
    scratch.memory[0] = flags
    append(message(.frame, scratch.bytes))
    return true
  }

  private func append(_ buffer: PooledBuffer) {
    let pool = context.pool
    if tickReliableCount > 0, let reliable = tickReliable.take() {
      events.append(reliable, count: tickReliableCount, pool: pool)
    }
    tickEvents.clear(pool: pool)
    (tickEventCount, tickReliableCount) = (0, 0)
    dropKeyframe()
    frames.append(FrameLog.Frame(buffer: buffer, tick: tick, lastEvent: events.last), pool: pool)
    for delivery in newcomers where delivery.position == .joining { delivery.lastEvent = events.last }
    newcomers.removeAll(keepingCapacity: true)
    lastSeal = now
    counters.frames += 1
    counters.frameBytes += UInt64(buffer.count)
  }

  /// A message with this body in a buffer of its size, with room for an acknowledgement behind it.
  private func message(_ type: MessageType, _ body: UnsafeRawBufferPointer) -> PooledBuffer {
    let buffer = context.pool.lease(messageOverhead + body.count + InputAck.bound)
    buffer.write { out in
      out.put(varint: body.count + 1)
      out.put(byte: type.rawValue)
    }
    buffer.append(body)
    return buffer
  }

  /// The whole state as of the newest frame; made at most once a frame and shared by all who need it.
  func currentKeyframe() -> PooledBuffer {
    if let keyframe, keyframe.number == frames.head { return keyframe.buffer }
    dropKeyframe()
    let pool = context.pool
    let scratch = pool.lease(kind.frameBound)
    defer { pool.release(scratch) }
    var flags: UInt8 = 1
    scratch.write { out in
      out.put(byte: flags)
      out.put(varint: UInt64(frames.headTick.rawValue))
      out.put(varint: frames.headEvent)
      if context.encoder.encodeKeyframe(of: tables, into: &out) { flags |= 4 }
    }
    scratch.memory[0] = flags
    let buffer = message(.frame, scratch.bytes)
    keyframe = (frames.head, buffer)
    keyframeBytes = buffer.count
    counters.keyframes += 1
    return buffer
  }
}
