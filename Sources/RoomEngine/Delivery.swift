import WireFormat

/// What one connection has been sent and what it gets next: the whole policy for fast, slow and stuck members, without
/// a socket.
///
/// | state | what holds | leaves it by |
/// | --- | --- | --- |
/// | lobby | no room; only its outbox is sent | a seat |
/// | joining | a seat; waits for Joined and keyframe, or for the replay of a resume | the first plan |
/// | live | the cursor is at the head, or on its way there from within the log | a write that blocks |
/// | lagging | one write is in flight; frames pile up in the log, not here | completion, or the log moved on: skip |
/// | closed | nothing is held | - |
///
/// All that a slow member costs is its cursor and the one write in flight. When the next write may begin is up to its
/// ``LinkPace``.
@usableFromInline
package final class Delivery {
  /// Where a connection stands.
  package enum State: Equatable, Sendable {
    case lobby, joining, live, lagging, closed
  }

  /// The shell's handle of the connection.
  package let tag: Int
  @exclusivity(unchecked) package internal(set) var seat: Seat? {
    didSet { seatReference = seat.map(Unmanaged.passUnretained) }
  }
  /// The same without reference counting; one that is given up is kept by its room to the end of the tick.
  @exclusivity(unchecked) private(set) var seatReference: Unmanaged<Seat>?
  /// What every tick needs of it.
  let standing: UnsafeMutablePointer<Standing>
  @exclusivity(unchecked) package var outbox = Outbox() {
    didSet { standing.pointee.note(.messages, outbox.buffer != nil) }
  }
  /// The outbox has messages of the room that Joined must precede.
  var outboxFollowsGreeting = false
  /// Joined, and the whispers missed: goes out before everything else of a room.
  var greeting = Outbox()
  /// Number of the last reliable whisper that a resuming client has.
  var resumeWhisper: UInt64 = 0
  /// Whether the client holds the room's schema already.
  var knownSchema: UInt64 = 0
  /// Waits in the inbox for its seat.
  @exclusivity(unchecked) var awaitsSeat = false
  /// Its end has been asked for: nothing more of it is applied.
  @exclusivity(unchecked) var isCondemned = false
  /// Tick in which a message of it was put off: all that follow wait behind it.
  @exclusivity(unchecked) var putOffAt: Tick?
  /// Bytes of its messages in the inbox, with what each costs there.
  @exclusivity(unchecked) package internal(set) var waitingBytes = 0
  /// Units of its inputs in the inbox; see ``InputTurn``.
  @exclusivity(unchecked) var waitingInputs = 0
  @exclusivity(unchecked) var events = EventCredit()
  /// What was left of its message rate when it last gave up a seat.
  package var formerBucket: TokenBucket?
  /// The players as of the tick that seated it, when its socket was blocked then.
  var seatedPlayers: [PlayerID]?
  @exclusivity(unchecked) package internal(set) var pace: LinkPace {
    didSet { standing.pointee.note(.paced, pace.state != .fast) }
  }
  /// Frames wait for its link: its own messages wait behind them.
  @exclusivity(unchecked) private(set) var isHeldBack = false
  /// Place among the room's attached members.
  var slot = -1
  /// Whom the seat of the connection is charged to.
  package let address: AddressKey

  /// The one write in flight: its bytes are pinned until it completes.
  @exclusivity(unchecked) private(set) var flight: [(buffer: PooledBuffer, offset: Int)] = [] {
    didSet { standing.pointee.note(.writeInFlight, !flight.isEmpty) }
  }
  /// When the write in flight began, or its socket last took something.
  private var lastProgress: Instant
  private var lastQueuedBytes = 0
  /// Bytes that its socket took.
  private var takenBytes = 0
  /// The lag that began at `lag`, and what had been taken at `since`.
  private var lagCheck: (lag: Instant, since: Instant, takenBytes: Int)?
  private let standings: StandingStore

  /// As much of it as a message of its client needs: what is declared first.
  static let lookedAtBytes = 192

  /// - Parameters:
  ///   - standings: of its loop.
  ///   - address: of its peer.
  package init(tag: Int, now: Instant, standings: StandingStore, address: AddressKey = .unknown) {
    self.tag = tag
    self.address = address
    self.standings = standings
    standing = standings.take()
    standing.initialize(to: Standing(tag: tag))
    lastProgress = now
    pace = LinkPace(now: now)
    standing.pointee.note(.paced, true)
    flight.reserveCapacity(WritePlan.mostResyncParts)
  }

  deinit { standings.giveBack(standing) }

  var position: Standing.Position {
    get { standing.pointee.position }
    set { standing.pointee.position = newValue }
  }

  /// See ``Standing/cursor``.
  package internal(set) var cursor: UInt64 {
    get { standing.pointee.cursor }
    set { standing.pointee.cursor = newValue }
  }

  var lastEvent: UInt64 {
    get { standing.pointee.lastEvent }
    set { standing.pointee.lastEvent = newValue }
  }

  var ackDue: UInt32? {
    get { standing.pointee.ackDue }
    set { standing.pointee.ackDue = newValue }
  }

  /// What to tell of inputs with the next write.
  var inputAck: InputAck? { ackDue == nil ? nil : seat?.inputs.ack }

  private var behindSince: Instant? {
    get { standing.pointee.behindSince }
    set { standing.pointee.behindSince = newValue }
  }

  package var state: State {
    switch position {
    case .closed: .closed
    case .lobby: .lobby
    case .joining, .resuming: .joining
    case .live: flight.isEmpty ? .live : .lagging
    }
  }

  package var hasWriteInFlight: Bool { !flight.isEmpty }

  /// Whether its client owes an answer to this ping; once for each.
  package func owes(_ token: UInt64) -> Bool { pace.isOwed(token) }

  /// Whether what it holds waits for its socket or its link.
  package var isWaiting: Bool { !flight.isEmpty || isHeldBack }

  /// Whether every frame goes to it at once.
  package var isFast: Bool { pace.state == .fast }

  /// Bytes pinned by the write in flight.
  package var pinnedBytes: Int { flight.reduce(0) { $0 + $1.buffer.capacity } }

  /// Bytes of memory that it holds or pins: all that this connection costs beyond itself.
  package var heldBytes: Int {
    pinnedBytes + (outbox.buffer?.capacity ?? 0) + (greeting.buffer?.capacity ?? 0)
  }

  /// Calls `body` with the pieces of the write in flight, in order: 1 to ``WritePlan/mostResyncParts``.
  package func withFlight<Failure>(
    _ body: (UnsafeBufferPointer<UnsafeRawBufferPointer>) throws(Failure) -> Void
  ) throws(Failure) {
    var pieces = InlineArray<4, UnsafeRawBufferPointer>(repeating: UnsafeRawBufferPointer(start: nil, count: 0))
    for (index, piece) in flight.enumerated() {
      pieces[index] = UnsafeRawBufferPointer(rebasing: piece.buffer.bytes[piece.offset...])
    }
    try pieces.span.extracting(first: flight.count).withUnsafeBufferPointer { (slices) throws(Failure) in
      try body(slices)
    }
  }

  /// Plans a write of the outbox alone: in the lobby, and for answers that should not wait for a tick.
  ///
  /// - Returns: whether there is anything to write now.
  package func planOutbox(into plan: WritePlan, pool: BufferPool) -> Bool {
    plan.reset()
    if isHeldBack, position == .live { return false }
    if outboxFollowsGreeting, position == .joining || position == .resuming { return false }
    guard flight.isEmpty else { return false }
    guard let bytes = outbox.buffer?.bytes else {
      if position == .lobby { noteUpToDate() }
      return false
    }
    plan.add(.outbox, bytes)
    return true
  }

  // MARK: The socket reports

  /// The socket took `count` bytes of the plan.
  ///
  /// - Returns: true when it took everything; false when it blocked: then ``withFlight(_:)`` is what to write next, in
  ///   one request, before anything else.
  package func took(_ count: Int, of plan: WritePlan, pool: BufferPool, now: Instant) -> Bool {
    var rest = count
    for index in plan.parts.indices {
      let size = plan.slices[index].count
      begin(plan.parts[index], size, now)
      if rest >= size {
        rest -= size
        finish(plan.parts[index], pool)
        continue
      }
      if behindSince == nil { behindSince = now }
      lastProgress = now
      takenBytes += count
      pin(plan.parts[index], from: rest, pool)
      // A keyframe and the events that it misses belong together: once it has begun, all of it is in flight.
      if plan.isResync {
        for later in plan.parts.indices[(index + 1)...] {
          begin(plan.parts[later], plan.slices[later].count, now)
          pin(plan.parts[later], from: 0, pool)
        }
      }
      pace.blocked(now: now)
      lastQueuedBytes = flight.reduce(0) { $0 + $1.buffer.count - $1.offset }
      return false
    }
    takenBytes += count
    if !plan.isCut, !isHeldBack, pace.isSteady { behindSince = nil }
    return true
  }

  /// The write in flight completed.
  package func completed(pool: BufferPool, now: Instant) {
    releaseFlight(pool)
    lastProgress = now
    takenBytes += lastQueuedBytes
    lastQueuedBytes = 0
  }

  /// So many bytes of the write in flight have not left yet.
  package func queued(_ bytes: Int, now: Instant) {
    if bytes != lastQueuedBytes { lastProgress = now }
    takenBytes += max(0, lastQueuedBytes - bytes)
    lastQueuedBytes = bytes
  }

  /// Nothing waits for it and nothing is in flight: what blocks from now on is a new lag.
  func noteUpToDate() {
    isHeldBack = false
    behindSince = nil
  }

  /// What waits for it has to wait on.
  func holdBack(now: Instant) {
    isHeldBack = true
    if behindSince == nil { behindSince = now }
  }

  /// What waited for it goes on its way.
  func letGo() { isHeldBack = false }

  /// Its client has answered a ping.
  func noteProgress(now: Instant) { lastProgress = now }

  /// Whether the member has not been up to date for so long.
  package func isBehind(forNanoseconds nanoseconds: UInt64, now: Instant) -> Bool {
    behindSince.map { now.nanoseconds(since: $0) >= nanoseconds } ?? false
  }

  /// Whether the member has taken nothing, or too little, for longer than the limits allow; says how.
  ///
  /// - Parameters:
  ///   - keyframeBytes: what a keyframe of its room takes: one every two seconds is little enough.
  ///   - awakeSince: since when the server has looked without a pause: before it, answers may have waited to be read.
  func overdue(_ limits: RoomLimits, keyframeBytes: Int, awakeSince: Instant, now: Instant) -> String? {
    guard let behindSince else { return nil }
    let stall = limits.stallDeadline.wholeNanoseconds
    let start = max(lastProgress, awakeSince)
    let stuck = flight.isEmpty ? pace.silentNanoseconds(since: start, now: now) : now.nanoseconds(since: start)
    if stuck > stall {
      return "nothing was read for \(limits.stallDeadline)"
    }
    guard let check = lagCheck, check.lag == behindSince else {
      lagCheck = (behindSince, now, takenBytes)
      return nil
    }
    let elapsed = now.nanoseconds(since: check.since)
    guard elapsed > limits.lagDeadline.wholeNanoseconds else { return nil }
    let least = UInt64(keyframeBytes) * (elapsed / 1_000_000) / Self.keyframeMilliseconds
    guard takenBytes - check.takenBytes >= least else {
      return "took less than a keyframe every 2 s for \(limits.lagDeadline)"
    }
    lagCheck = (behindSince, now, takenBytes)
    return nil
  }

  /// A member that is behind must take as much as a keyframe in so long.
  private static let keyframeMilliseconds: UInt64 = 2_000

  /// The connection is gone, or another took its place: everything held is released. Safe to call again.
  package func close(pool: BufferPool) {
    position = .closed
    releaseFlight(pool)
    outbox.clear(pool: pool)
    greeting.clear(pool: pool)
    ackDue = nil
  }

  // MARK: Inside

  /// Its seat was given up: no frame is sent any more. A write in flight goes on to its end.
  func returnToLobby(pool: BufferPool) {
    if position == .joining || position == .resuming { outbox.clear(pool: pool) }
    if position != .closed { position = .lobby }
    outboxFollowsGreeting = false
    greeting.clear(pool: pool)
    (cursor, lastEvent, resumeWhisper, ackDue) = (0, 0, 0, nil)
    standing.pointee.hasDropped = false
    // A write that is still stuck keeps its deadlines: who leaves and joins again would escape them, and hold a seat without ever reading.
    if flight.isEmpty { behindSince = nil }
    isHeldBack = false
    seatedPlayers = nil
  }

  private func begin(_ part: WritePlan.Part, _ bytes: Int, _ now: Instant) {
    guard pace.state != .fast || part.isOutbox else { return }
    let carrier: LinkPace.Carrier? =
      switch part {
      case .greeting: .lead
      case .outbox: .trail
      case .frame, .keyframe, .events: nil
      }
    pace.began(bytes, carrier, now: now)
  }

  private func finish(_ part: WritePlan.Part, _ pool: BufferPool) {
    switch part {
    case .greeting: greeting.clear(pool: pool)
    case .outbox: outbox.clear(pool: pool)
    case .frame(let number, let frame): advance(to: number, frame.lastEvent)
    case .keyframe(_, let number, let lastEvent): advance(to: number, lastEvent)
    case .events: break
    }
  }

  private func pin(_ part: WritePlan.Part, from offset: Int, _ pool: BufferPool) {
    switch part {
    case .greeting:
      if let buffer = greeting.take() { flight.append((buffer, offset)) }
    case .outbox:
      if let buffer = outbox.take() { flight.append((buffer, offset)) }
    case .frame(let number, let frame):
      pool.retain(frame.buffer)
      flight.append((frame.buffer, offset))
      advance(to: number, frame.lastEvent)
    case .keyframe(let buffer, let number, let lastEvent):
      pool.retain(buffer)
      flight.append((buffer, offset))
      advance(to: number, lastEvent)
    case .events(let buffer):
      pool.retain(buffer)
      flight.append((buffer, offset))
    }
  }

  private func advance(to number: UInt64, _ event: UInt64) {
    cursor = number
    lastEvent = event
    position = .live
  }

  private func releaseFlight(_ pool: BufferPool) {
    for piece in flight { pool.release(piece.buffer) }
    flight.removeAll(keepingCapacity: true)
  }
}
