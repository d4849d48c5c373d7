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
  let context = EngineContext()
  var pool: BufferPool { context.pool }

  var connections: [Connection?] = []
  private var freeSlots: [Int] = []
  /// Streams that are not closed yet.
  private(set) var openCount = 0

  var hosts: [String: RoomHost] = [:]
  /// Rooms by the group of the schedule that they tick with.
  var groups: [[RoomHost]] = []
  var schedule: TickSchedule
  var counters = LoopCounters()

  var listener: Listener?
  var tickTimer: TickTimer?
  private var sweepTimer: EventLoop.Timer?
  /// Set once draining: when the loop ends whatever is still open.
  var drainUntil: Instant?
  var isFinished = false
  var logger: Logger

  init(index: Int, loop: Loop, shared: ServerShared) throws {
    self.index = index
    self.loop = loop
    self.shared = shared
    logger = shared.logger
    logger[metadataKey: "loop"] = "\(index)"
    schedule = TickSchedule(origin: shared.origin, phases: shared.configuration.tickPhases)
    tickTimer = try TickTimer(loop: loop) { [unowned self] _, _ in runDueTicks() }
    let sweep = try EventLoop.Timer(loop: loop) { [unowned self] in self.sweep() }
    sweep.start(everyMilliseconds: ServerLoop.sweepMilliseconds)
    sweepTimer = sweep
  }

  deinit {
    // Not before: messages that arrive while the loop ends count as well, and a loop that is still held somewhere has
    // not ended.
    shared.report(LoopReport(counters, pool.usage), of: index)
  }

  /// Deadlines of connections are looked at this often; they are whole seconds.
  static let sweepMilliseconds: UInt64 = 250

  /// The time of this turn of the loop.
  var now: Instant { Instant(nanoseconds: loop.now.nanoseconds) }

  /// The time right now.
  func clock() -> Instant { Instant(nanoseconds: Loop.clock().nanoseconds) }

  /// Seconds that a seat waits at most; what Welcome tells, before a room is chosen.
  var longestGraceSeconds: Int {
    shared.configuration.roomKinds.map { Int($0.limits.grace.components.seconds) }.max() ?? 0
  }

  func handle(_ message: LoopMessage) {
    switch message {
    case .listen(let port, let reply): reply.put(Result { try listen(port: port) })
    case .arrival(let moving): arrive(moving)
    case .drain: drain()
    case .stop: finish()
    }
  }

  /// - Returns: the port that was bound.
  private func listen(port: UInt16) throws -> UInt16 {
    let listener = try Listener(
      loop: loop, host: shared.configuration.host, port: port, options: Listener.Options(reusePort: true),
      onAccept: { [unowned self] stream in accept(stream) },
      onError: { [unowned self] error in
        logger.error("can't accept connections for the moment", metadata: ["error": "\(error)"])
      })
    self.listener = listener
    return listener.port
  }

  // MARK: Connections

  private func accept(_ stream: EventLoop.Stream) {
    counters.accepted += 1
    let connection = add(stream)
    switch shared.admission.enter(stream.peerAddress?.ip) {
    case .admitted: break
    case .refused(let refusal):
      connection.admission = .refused
      return end(connection, .connectionLimit, refusal)
    case .dropped(let refusal):
      connection.admission = .none
      return end(connection, .connectionLimit, refusal, isTold: false)
    }
    setBuffers(of: stream)
    stream.startReading()
  }

  private func setBuffers(of stream: EventLoop.Stream) {
    let configuration = shared.configuration
    do {
      _ = try stream.setBufferSizes(
        sendBytes: configuration.sendBuffer.bytes, receiveBytes: configuration.receiveBuffer.bytes)
    } catch {
      logger.warning("can't set a connection's kernel buffers", metadata: ["error": "\(error)"])
    }
  }

  func add(_ stream: EventLoop.Stream) -> Connection {
    let slot = freeSlots.popLast() ?? connections.count
    if slot == connections.count { connections.append(nil) }
    let connection = Connection(slot: slot, stream: stream, loop: self, now: now)
    connections[slot] = connection
    stream.delegate = connection
    openCount += 1
    return connection
  }

  /// Ends a connection, once: tells it if the stream is at a message's end, releases all that is held, leaves the seat
  /// to the grace period or gives it up.
  func end(_ connection: Connection, _ reason: CloseReason, _ text: String, isTold: Bool = true) {
    guard !connection.hasEnded else { return }
    let host = connection.host
    if case .moving(.join(_, let join), _, _) = connection.state { shared.rooms.abandon(join.room) }
    connection.state = .ended
    counters.closed[reason, default: 0] += 1
    log(connection, host?.room.name, reason, text)
    let isToldWhole =
      isTold && reason.isTold && !connection.delivery.hasWriteInFlight && sayGoodbye(connection, reason, text)
    if isToldWhole {
      connection.closeBy = now.advanced(byNanoseconds: ServerLoop.lingerNanoseconds)
      connection.stream.closeAfterFlush()
    } else if reason.isTold {
      // A peer that takes nothing would keep what waits for it in the kernel for minutes after a close.
      connection.stream.reset()
    } else {
      connection.stream.close()
    }
    // Only now: until the stream was closed or flushed it could have been reading these bytes.
    if let host {
      host.room.detach(connection.delivery, keepsSeat: reason.retry != .never, now: now)
    } else {
      connection.delivery.close(pool: pool)
    }
  }

  /// How long a connection that was told goodbye may take to end on its side.
  static let lingerNanoseconds: UInt64 = 2_000_000_000

  private func sayGoodbye(_ connection: Connection, _ reason: CloseReason, _ text: String) -> Bool {
    let retryAfter: UInt32? = reason == .draining || reason == .connectionLimit ? 1000 : nil
    let goodbye = Goodbye(reason, retryAfterMilliseconds: retryAfter, text: text)
    let bytes = encodedBytes(bound: Goodbye.bound + messageOverhead) { goodbye.encode(into: &$0) }
    // What waits in the outbox belongs before it; if that does not go out whole, nothing more can be told. Answers of a
    // room mean nothing before its Joined.
    if connection.delivery.state != .joining, connection.delivery.planOutbox(into: context.plan, pool: pool) {
      let size = connection.delivery.outbox.count
      guard context.plan.withSlices({ connection.stream.tryWrite($0) }) == .wrote(size) else { return false }
    }
    return bytes.withUnsafeBytes { connection.stream.tryWrite($0) } == .wrote(bytes.count)
  }

  private func log(_ connection: Connection, _ room: String?, _ reason: CloseReason, _ text: String) {
    let level: Logger.Level =
      switch reason {
      case .slowConsumer, .internalError, .overBudget: .info
      default: .debug
      }
    logger.log(
      level: level, "connection ended",
      metadata: [
        "reason": "\(reason.name)", "text": "\(text)",
        "peer": "\(connection.stream.peerAddress?.description ?? "gone")",
        "room": "\(room ?? "-")",
      ])
  }

  /// The stream's descriptor is closed.
  func didClose(_ connection: Connection) {
    if !connection.hasEnded { end(connection, .internalError, "its stream was closed without a reason") }
    connections[connection.slot] = nil
    freeSlots.append(connection.slot)
    openCount -= 1
    shared.admission.leave(connection.admission, connection.stream.peerAddress?.ip)
    finishDrainIfEmpty()
  }
}
