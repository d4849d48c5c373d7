import EventLoop
import RoomEngine
import WireFormat

/// One client's TCP stream on one loop: bytes in, messages to the right place, planned writes out. What it may be sent
/// is decided by ``Delivery``, not here.
///
/// Confined to its loop.
final class Connection: StreamDelegate {
  enum State {
    /// Nothing but a Hello is expected.
    case handshake
    /// Welcomed, in no room.
    case lobby(Session)
    /// Has asked for a seat; the room's next tick answers.
    case seating(Session, RoomHost)
    case seated(Session, RoomHost)
    /// Waits for its write in flight before it moves to another loop.
    case moving(MovingConnection.Purpose, to: Int, unread: [UInt8])
    /// Takes part in nothing any more; what is left of it is up to the lifecycle.
    case ended
  }

  let slot: Int
  let stream: EventLoop.Stream
  /// Whom it, its seat and its rooms are charged to.
  var address: AddressKey { delivery.address }
  let delivery: Delivery
  /// Not unowned: whatever ends last, the loop's state outlives its streams. The cycle is broken when the stream has
  /// closed.
  let loop: ServerLoop
  @exclusivity(unchecked) var state = State.handshake {
    willSet { loop.endIntake(of: self) }
    didSet { noteState() }
  }
  /// Whether what comes is read now; of `state`, without a copy of what that holds.
  @exclusivity(unchecked) private(set) var isReading = true
  /// Where nearly all goes that comes: the room of a seat, which `state` keeps alive.
  @exclusivity(unchecked) private(set) var seatedRoom: Unmanaged<Room>?
  @exclusivity(unchecked) private var mayReadAtTicks = false
  @exclusivity(unchecked) var rhythm = ReadingRhythm()
  /// For its room, since the loop was last told of bytes.
  @exclusivity(unchecked) var messagesSinceRead: UInt64 = 0
  /// Where it stands among the intakes of its room; nil while it is read as its bytes come.
  @exclusivity(unchecked) var intake: Int?
  @exclusivity(unchecked) var lifecycle: ConnectionLifecycle
  @exclusivity(unchecked) private var assembler = MessageAssembler(limit: WireLimits.clientHandshakeMessageBytes)
  /// Nothing is read from it for a while: it has used up a rate, or what may wait for a tick.
  @exclusivity(unchecked) var isHeldBack = false
  /// When reading was last held back.
  var heldBackAt: Instant?
  /// Read before that, and not handled: less than one read brings.
  @exclusivity(unchecked) var heldBytes: [UInt8] = []
  /// Work done of what was read last, and how much may be done of it; see ``ConnectionPace/work(of:_:)``.
  @exclusivity(unchecked) private var work = 0
  @exclusivity(unchecked) private var mostWork = 0
  /// Bytes here that wait for the rest of their message or for the other loop, as counted in the loop's account.
  @exclusivity(unchecked) private var heldInputBytes = 0
  /// Largest message that the client may send now, in bytes.
  @exclusivity(unchecked) var messageLimit = WireLimits.clientHandshakeMessageBytes
  @exclusivity(unchecked) var pace: ConnectionPace
  /// When something was last received.
  @exclusivity(unchecked) var heardAt: Instant
  var pingedAt: Instant
  /// What the kernel held of it that its peer had not acknowledged, when it was last looked at; of those that have ended.
  private(set) var unsentBytes = 0
  /// When it last was without a room.
  var roomlessSince: Instant

  init(slot: Int, stream: EventLoop.Stream, loop: ServerLoop, place: ConnectionLifecycle.Place, now: Instant) {
    self.slot = slot
    self.stream = stream
    self.loop = loop
    lifecycle = ConnectionLifecycle(place: place)
    delivery = Delivery(
      tag: slot, now: now, standings: loop.context.standings, address: AddressKey(stream.peerAddress))
    pace = ConnectionPace(loop.shared.paceLimits, now: now)
    heardAt = now
    pingedAt = now
    roomlessSince = now
    stream.willRead(0, self)
    stream.willRead(1, delivery)
  }

  var host: RoomHost? {
    switch state {
    case .seating(_, let host), .seated(_, let host): host
    case .handshake, .lobby, .moving, .ended: nil
    }
  }

  var session: Session? {
    switch state {
    case .lobby(let session), .seating(let session, _), .seated(let session, _): session
    case .moving(.join(let session, _), _, _): session
    case .handshake, .moving, .ended: nil
    }
  }

  /// Whether it has yet to join a room; one that waits to move is not in it either, and may wait for a peer that reads
  /// nothing.
  var isRoomless: Bool {
    switch state {
    case .handshake, .lobby, .moving: true
    case .seating, .seated, .ended: false
    }
  }

  /// Whether it may be pinged: it knows the protocol, and is not about to leave the loop.
  var isConversing: Bool {
    switch state {
    case .lobby, .seating, .seated: true
    case .handshake, .moving, .ended: false
    }
  }

  var hasEnded: Bool { !lifecycle.isOpen }

  private func noteState() {
    (isReading, seatedRoom) =
      switch state {
      case .moving, .ended: (false, nil)
      case .seated(_, let host): (true, Unmanaged.passUnretained(host.room))
      case .handshake, .lobby, .seating: (true, nil)
      }
    stream.willRead(2, delivery.seat)
    mayReadAtTicks = if case .seated(_, let host) = state { loop.readsAtTicks(host, stream) } else { false }
  }

  // MARK: StreamDelegate

  func stream(_ stream: EventLoop.Stream, didRead bytes: UnsafeRawBufferPointer) {
    guard !hasEnded else { return }
    let isSeated = seatedRoom != nil
    receive(bytes)
    if let seatedRoom, !isHeldBack { noteRhythm(seatedRoom) }
    loop.lookForDueTick(afterLongWork: !isSeated || hasEnded)
  }

  /// Bytes came by themselves.
  private func noteRhythm(_ room: Unmanaged<Room>) {
    let messages = messagesSinceRead
    messagesSinceRead = 0
    let ticks = room._withUnsafeGuaranteedRef { $0.counters.ticks }
    guard mayReadAtTicks, rhythm.heard(messages, after: ticks) else { return }
    if case .seated(_, let host) = state { loop.beginIntake(of: self, in: host) }
  }

  /// Takes what was read, by libuv or at the tick.
  func receive(_ bytes: UnsafeRawBufferPointer) {
    guard !hasEnded else { return }
    heardAt = loop.now
    bytes.withMemoryRebound(to: UInt8.self) { take(Span(_unsafeElements: $0)) }
    countHeldInput()
  }

  func streamDidEnd(_ stream: EventLoop.Stream, _ end: StreamEnd) {
    guard !hasEnded else { return loop.peerEnded(self) }
    switch end {
    case .endOfStream:
      loop.end(self, .peerClosed, assembler.keptBytes > 0 ? "within a message" : "end of stream")
    case .reset: loop.end(self, .peerReset, "connection reset")
    case .error(let error): loop.end(self, .peerReset, "\(error)")
    }
    loop.lookForDueTick()
  }

  func stream(_ stream: EventLoop.Stream, didCompleteWrite error: LoopError?) {
    guard !hasEnded else { return }
    delivery.completed(pool: loop.pool, now: loop.now)
    if let error {
      loop.end(self, .writeFailed, "\(error)")
      return
    }
    if case .moving = state {
      // What it was told before it asked to go: pongs, refusals.
      flushOutbox()
      return loop.move(self)
    }
    if loop.drainUntil != nil || host?.isDismissed == true {
      return loop.end(self, .draining, "the server is shutting down")
    }
    pump()
  }

  /// Asks the kernel. 0 once the stream is closed.
  func lookAtUnsentBytes() -> Int {
    unsentBytes = stream.unsentBytes
    return unsentBytes
  }

  func streamDidClose(_ stream: EventLoop.Stream) {
    loop.didClose(self)
  }

  /// Lets messages have the size that Welcome allows; for a connection that was welcomed on another loop, or while it
  /// moved.
  func applyMessageLimit() {
    assembler.limit = messageLimit
  }

  /// Brings the loop's account up to date with what is held here; too much of too much ends the connection.
  func countHeldInput() {
    guard assembler.keptBytes > 0 || heldInputBytes > 0 || !isReading || isHeldBack else { return }
    var (held, unfinished) = (0, 0)
    if hasEnded {
      heldBytes = []
    } else {
      unfinished = assembler.keptBytes
      if case .moving(_, _, let unread) = state { unfinished += unread.count }
      held = unfinished + heldBytes.count
    }
    loop.context.input.add(held - heldInputBytes)
    heldInputBytes = held
    // What is held back is our doing.
    if unfinished > 0, !loop.context.input.allows(unfinished) {
      loop.end(self, .overBudget, "the server is short of memory for input: try again later")
    }
  }

  /// Cuts bytes into messages and handles them, until there are no more, the connection goes elsewhere, or it has had what it
  /// may have for now.
  func take(_ bytes: Span<UInt8>) {
    (work, mostWork) = (0, pace.bytes.available(now: loop.realNow))
    do throws(MessageAssembler.Failure) {
      let used = try assembler.feed(bytes) { type, body in
        handle(type, body)
        work += ConnectionPace.work(of: type, body)
        if work >= mostWork { isHeldBack = true }
        return isReading && !isHeldBack ? .limit(messageLimit) : .stop
      }
      pace.bytes.charge(work, now: loop.realNow)
      if isHeldBack, isReading { return hold(bytes.array(used..<bytes.count)) }
      if case .moving(let purpose, let target, _) = state {
        state = .moving(purpose, to: target, unread: bytes.array(used..<bytes.count))
        loop.move(self)
      }
    } catch {
      switch error {
      case .malformed(let wire): loop.end(self, .malformed, "message: \(wire)")
      case .tooLarge(let length, let limit):
        loop.end(self, .messageTooLarge, "a message of \(length) bytes, at most \(limit) are allowed")
      }
    }
  }
}
