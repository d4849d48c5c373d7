import CPrefetch
import EventLoop
import Logging
import RoomEngine
import WireFormat

/// One event loop of the server: its connections, the rooms that live on it and their ticks. Everything here is
/// confined to the loop's thread.
final class ServerLoop {
  let index: Int
  let loop: Loop
  let shared: ServerShared
  let context: EngineContext
  var pool: BufferPool { context.pool }

  @exclusivity(unchecked) var connections: [Connection?] = []
  /// Of the connections, in the same order.
  @exclusivity(unchecked) private(set) var outlets: ContiguousArray<StreamOutlet?> = []
  private var freeSlots: [Int] = []
  var refusals: Refusals

  var hosts: [String: RoomHost] = [:]
  /// Rooms by the group of the schedule that they tick with.
  @exclusivity(unchecked) var groups: [[RoomHost]] = []
  @exclusivity(unchecked) var schedule: TickSchedule
  var ledger = Ledger()
  @exclusivity(unchecked) var counters = LoopCounters()
  /// What the self-check found wrong when it last found anything.
  var ledgerFaults: [String] = []
  /// The books as last written to the log.
  var ledgerLogged: (at: Instant, ledger: Ledger)

  var listener: Listener?
  @exclusivity(unchecked) var tickTimer: TickTimer?
  /// When the timer is due.
  @exclusivity(unchecked) var nextTick: Instant?
  @exclusivity(unchecked) var isTicking = false
  private var readsSinceLook = 0
  /// Connections that are held back, in no order; see ``Connection/hold(_:)``.
  var heldBack: [Connection] = []
  var lookedAtHeldBack: Instant
  @exclusivity(unchecked) private var attended: AttendedClock
  private var sweepTimer: EventLoop.Timer?
  /// Since the server was asked to stop when its rooms are done.
  var lameDuck: LameDuck?
  /// Players of rooms that were chosen to be closed.
  var dismissedPlayers = 0
  /// When the first loop last logged what is left.
  var lameDuckLoggedAt: Instant?
  /// Set once draining: when the loop ends whatever is still open.
  var drainUntil: Instant?
  var isFinished = false
  /// Rooms opened since that reading of the memory, see ``mayOpenRoom(_:)``.
  var roomsOpened = (reading: 0, count: 0)
  /// While goodbyes said at the very end are on their way.
  var lastMoment: EventLoop.Timer?
  /// See ``relievePressure()``.
  var sweepsSinceGiveBack = 0
  var logger: Logger
  var endLog = RecordDigest<EndKind>(singles: endsLoggedPerSecond, windowNanoseconds: 1_000_000_000)
  var faultLog = RecordDigest<FaultKind>(singles: 1, windowNanoseconds: faultWindowNanoseconds)

  init(index: Int, loop: Loop, shared: ServerShared) throws {
    self.index = index
    self.loop = loop
    self.shared = shared
    context = EngineContext(
      pool: BufferPool(idleLimit: shared.memory.plan.sizes.idlePerLoop),
      input: InputAccount(
        budget: shared.memory.plan.sizes.inputBudget, loops: shared.loopCount,
        connections: shared.configuration.maxConnections))
    refusals = Refusals(loops: shared.loopCount)
    logger = shared.logger
    logger[metadataKey: "loop"] = "\(index)"
    let now = shared.timeSource.now
    ledgerLogged = (now, ledger)
    lookedAtHeldBack = now
    attended = AttendedClock(now, ignoresStandstills: shared.timeSource.isManual)
    loop.readBytes = ServerLoop.readBytes(of: shared)
    schedule = TickSchedule(
      origin: shared.origin, phases: shared.configuration.tickPhases, loop: index, of: shared.loopCount)
    tickTimer = try TickTimer(loop: loop) { [unowned self] _, _ in runDueTicks() }
    let sweep = try EventLoop.Timer(loop: loop) { [unowned self] in self.sweep() }
    sweep.start(everyMilliseconds: ServerLoop.sweepMilliseconds)
    sweepTimer = sweep
    context.mayLease = { [unowned self] bytes in isWithinLaggardBudget(and: bytes) }
    checkLedger()
  }

  deinit {
    // Not before: messages that arrive while the loop ends count as well, and a loop that is still held somewhere has
    // not ended.
    publish(takeCensus(), .ended)
    shared.report(LoopReport(ledger, counters.rooms, pool.usage, earlierFaults: ledgerFaults), of: index)
  }

  /// Deadlines of connections are looked at this often; they are whole seconds.
  static let sweepMilliseconds: UInt64 = 250

  /// The time of this turn of the loop, without those in which it stood still: what deadlines are marked and judged by.
  var now: Instant { attended(at: realNow) }

  /// The same as of right now.
  func attendedClock() -> Instant { attended(at: clock()) }

  private func attended(at real: Instant) -> Instant {
    let now = attended.look(real)
    context.isCatchingUp = attended.isCatchingUp
    return now
  }

  /// The real time of this turn of the loop.
  var realNow: Instant { shared.timeSource.ofTurn(of: loop) }

  /// The real time right now.
  func clock() -> Instant { shared.timeSource.now }

  /// Bytes of one read: what is held back of them is bounded by the part of the input budget that each connection may have.
  private static func readBytes(of shared: ServerShared) -> Int {
    let fair = shared.memory.plan.sizes.inputBudget.bytes / 2 / max(1, shared.configuration.maxConnections)
    return min(max(fair, leastReadBytes), mostReadBytes)
  }

  private static let leastReadBytes = 1024
  private static let mostReadBytes = 4096

  /// Seconds that a seat waits at most; what Welcome tells, before a room is chosen.
  var longestGraceSeconds: Int {
    shared.configuration.roomKinds.map { Int($0.limits.grace.components.seconds) }.max() ?? 0
  }

  func handle(_ message: LoopMessage) {
    switch message {
    case .listen(let port, let reply): reply.put(Result { try listen(port: port) })
    case .arrival(let moving): arrive(moving)
    case .letRoomsEnd(let lameDuck): letRoomsEnd(lameDuck)
    case .relievePressure: relievePressure()
    case .closeRoom(let room, let text): closeForMemory(room, text)
    case .drain: drain()
    case .stop: if isFinished { stopNow() } else { finish() }
    }
  }

  /// - Returns: the port that was bound.
  private func listen(port: UInt16) throws -> UInt16 {
    let sizes = shared.memory.plan.sizes
    let buffers = SocketBufferSizes(sendBytes: sizes.sendBuffer.bytes, receiveBytes: sizes.receiveBuffer.bytes)
    let listener = try Listener(
      loop: loop, host: shared.configuration.host, port: port,
      options: Listener.Options(
        reusePort: true, bufferSizes: buffers,
        userTimeoutMilliseconds: Int(shared.abandonedNanoseconds / 1_000_000)),
      onAccept: { [unowned self] stream in accept(stream) },
      onError: { [unowned self] error in
        logFault("can't accept connections for the moment", error)
      })
    self.listener = listener
    return listener.port
  }

  // MARK: Connections

  func accept(_ stream: EventLoop.Stream) {
    ledger.accept()
    logger.debug("connection accepted", metadata: ["peer": "\(stream.peerAddress?.description ?? "gone")"])
    let isShort = shared.pressure.level > .normal
    switch shared.admission.enter(AddressKey(stream.peerAddress), isShortOfMemory: isShort) {
    case .admitted:
      _ = add(stream, place: .admitted)
      stream.startReading()
    case .refused(let reason, let refusal):
      let connection = add(stream, place: .refused)
      let displaced = refusals.enter(connection.slot, from: stream.peerAddress?.ip)
      if let displaced, let older = connections[displaced] { displace(older) }
      end(connection, reason, refusal)
    }
    lookForDueTick()
  }

  func add(_ stream: EventLoop.Stream, place: ConnectionLifecycle.Place) -> Connection {
    let slot = freeSlots.popLast() ?? connections.count
    if slot == connections.count {
      connections.append(nil)
      outlets.append(nil)
    }
    stream.mostOfferedBytes = shared.memory.plan.mostOfferedBytes
    let connection = Connection(slot: slot, stream: stream, loop: self, place: place, now: now)
    connections[slot] = connection
    outlets[slot] = StreamOutlet(stream)
    stream.delegate = connection
    return connection
  }

  /// Called when a connection has been taken in, has ended or has taken what was read: a tick that has come due does not
  /// wait until hundreds of others had their turn.
  ///
  /// - Parameter isLong: it was more work than reading a member's input: look now.
  func lookForDueTick(afterLongWork isLong: Bool = true) {
    readsSinceLook += 1
    guard isLong || readsSinceLook >= ServerLoop.readsBetweenLooks else { return }
    readsSinceLook = 0
    // Not from within a tick, which reads as well.
    if !isTicking, let nextTick, clock() >= nextTick { runDueTicks() }
  }

  /// Some 40 us of reading; the look itself takes 30 ns.
  private static let readsBetweenLooks = 16

  /// No frame goes that way any more: its descriptor is about to be somebody else's.
  func closeOutlet(of connection: Connection) { outlets[connection.slot] = nil }

  /// Lets go of a connection whose stream, and before it whose outlet, is closed.
  func remove(_ connection: Connection) {
    assert(outlets[connection.slot] == nil)
    connections[connection.slot] = nil
    freeSlots.append(connection.slot)
  }

  /// Calls `body` with each of the connections that are there now.
  ///
  /// Of thousands nothing is in the caches: what is looked at of those who come next is fetched meanwhile.
  func forEachConnection(_ body: (Connection) -> Void) {
    let connections = self.connections
    for slot in connections.indices {
      fetch(connections, slot + 2 * ServerLoop.fetchedAhead) { Unmanaged.passUnretained($0).toOpaque() }
      fetch(connections, slot + ServerLoop.fetchedAhead) { Unmanaged.passUnretained($0.delivery).toOpaque() }
      if let connection = connections[slot] { body(connection) }
    }
  }

  private func fetch(_ connections: [Connection?], _ slot: Int, _ part: (Connection) -> UnsafeMutableRawPointer) {
    guard slot < connections.count, let connection = connections[slot] else { return }
    prefetch_all_for_write(part(connection), ServerLoop.fetchedBytes)
  }

  /// Connections: to look at one takes some 20 ns, memory some 100 ns to answer.
  private static let fetchedAhead = 4
  private static let fetchedBytes: UInt = 256

  /// Gives back the slots of a peak, as far as nobody stands behind them.
  func shrinkSlots() {
    guard let last = connections.lastIndex(where: { $0 != nil }) ?? connections.indices.first,
      connections.capacity > 4 * (last + 64)
    else { return }
    connections = Array(connections[...last])
    outlets = ContiguousArray(outlets[...last])
    freeSlots = freeSlots.filter { $0 <= last }
  }
}
