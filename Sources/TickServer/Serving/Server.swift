import EventLoop
public import Logging
import RoomEngine
import WireFormat

/// A TickServer in this process.
///
/// ```swift
/// let server = try Server.start(ServerConfiguration(rooms: [arena]))
/// server.waitUntilStopped()   // SIGTERM, SIGINT or SIGHUP: goodbye to everyone, then it returns
/// ```
public final class Server: Sendable {
  /// The port that it listens on.
  public let port: Int
  /// The port of the admin endpoints; nil when they are off.
  public let adminPort: Int?
  private let threads: [LoopThread]
  /// Threads without connections (signals, memory); they end after the loops.
  private let helpers: [LoopThread]
  private let admin: AdminServer?
  private let shared: ServerShared

  private init(
    port: Int, threads: [LoopThread], helpers: [LoopThread], admin: AdminServer?, shared: ServerShared
  ) {
    self.port = port
    adminPort = admin?.port
    self.threads = threads
    self.helpers = helpers
    self.admin = admin
    self.shared = shared
  }

  /// Checks the configuration, opens the port and starts the loops.
  ///
  /// - Parameters:
  ///   - configuration: what to serve, where and within which bounds.
  ///   - handlesSignals: whether SIGTERM, SIGINT and SIGHUP stop the server: the first begins the lame duck when
  ///     ``ServerConfiguration/lameDuck`` is not off, the next says goodbye to everyone, one more ends it at once.
  ///   - logger: where to log.
  /// - Throws: ``ConfigurationError`` for a wrong setting, ``MemoryPlanError`` when its worst case is over the memory
  ///   limit, ``StartError`` when the system can't give what is needed, ``StoppedAtStart`` when a signal came first.
  public static func start(
    _ configuration: ServerConfiguration, handlesSignals: Bool = true, logger: Logger = Logger(label: "tickserver")
  ) throws -> Server {
    try start(configuration, handlesSignals: handlesSignals, logger: logger, readMemory: nil)
  }

  /// The same; a test may say what the memory is.
  static func start(
    _ configuration: ServerConfiguration, handlesSignals: Bool, logger: Logger, readMemory: MemoryMonitor.Read?
  ) throws -> Server {
    try configuration.validate()
    if let fault = systemFault() { throw StartError(fault) }
    let memory = LimitedPlan(configuration)
    if let refusal = memory.refusal {
      throw MemoryPlanError(description: refusal + "\n  Run the program with `plan` to see all of it.")
    }
    for warning in memory.warnings { logger.warning("\(warning)") }
    let loops = configuration.loops.number
    try DescriptorLimit.check(
      connections: configuration.maxConnections, loops: loops, hasAdmin: configuration.admin.port != .off)
    let shared = ServerShared(
      configuration: configuration, memory: memory, loops: loops,
      authenticator: try Authenticator(configuration.authentication), logger: logger)
    var threads: [LoopThread] = []
    var helpers: [LoopThread] = []
    var admin: AdminServer?
    do {
      for index in 0..<loops { threads.append(try startLoop(index, shared)) }
      // Before anyone can connect: a signal that came then would end the process without a goodbye.
      if handlesSignals { helpers.append(try SignalThread.start(shared)) }
      let reader = shared.memoryReader
      helpers.append(try MemoryMonitor.start(shared, read: readMemory ?? { reader.read() }))
      admin = try AdminServer.start(configuration.admin, AdminSource(shared))
      let port = try listen(loops, shared)
      logger.info(
        "listening",
        metadata: [
          "address": "\(endpoint(configuration.host, port))", "loops": "\(loops)",
          "roomKinds": "\(configuration.roomKinds.map(\.name).joined(separator: " "))",
        ])
      logMemory(memory, logger)
      if let admin { logger.info("admin listening", metadata: ["address": "\(admin.endpoint)"]) }
      return Server(port: Int(port), threads: threads, helpers: helpers, admin: admin, shared: shared)
    } catch {
      // Loops that were told to stop may have ended before they were to listen.
      let isAsked = shared.state != .serving
      shared.handle(.failed, by: "a failed start")
      end(threads, helpers, admin)
      throw isAsked ? StoppedAtStart() : error
    }
  }

  private static func logMemory(_ memory: LimitedPlan, _ logger: Logger) {
    logger.info(
      "memory plan",
      metadata: [
        "plan": "\(sizeText(memory.plan.totalBytes))",
        "limit": "\(memory.limit.map { sizeText($0.size.bytes) } ?? "none")",
        "of": "\(memory.limit?.description ?? "-")",
        "above": "\(memory.above.joined(separator: ", "))",
      ])
  }

  /// Says goodbye to everyone, gives connections the drain time to take their last bytes, and ends. Returns at once.
  public func stop() {
    shared.handle(.asked(.atOnce, now: shared.timeSource.now), by: "the program")
  }

  /// Opens no further rooms and lets those that are open go on until they are done; then it says goodbye and ends, as
  /// ``stop()`` does. Returns at once.
  ///
  /// Games are told (``RoomEngine/RoomLogic/ending(_:deadline:)``). Players who lose their connection can come back to
  /// their seats. Called again, the earlier deadline counts.
  ///
  /// - Parameter time: how long rooms may go on: up to 24 h, more counts as that; nothing or less is ``stop()``. Those that
  ///   are not done are closed one after the other over the last quarter of it, and at most its last 10 s.
  public func stop(within time: Duration) {
    let nanoseconds = time.wholeNanoseconds
    let order: ServerLifecycle.Order = nanoseconds > 0 ? .within(nanoseconds: nanoseconds) : .atOnce
    shared.handle(.asked(order, now: shared.timeSource.now), by: "the program")
  }

  /// Returns when the server has ended: after ``stop()`` or a signal.
  public func waitUntilStopped() {
    Server.end(threads, helpers, admin)
    shared.logger.info("stopped")
    LogWriter.flushProcess()
  }

  /// Waits until the server has ended; what each of its loops did, one report for each that let go of everything it
  /// held.
  package func stopped() -> [LoopReport] {
    waitUntilStopped()
    return shared.reports
  }

  /// Connections open now, those in a goodbye included.
  public var openConnections: Int { shared.admission.open }

  /// What all loops last said of themselves.
  var total: LoopSnapshot { shared.readings().total }

  /// How short of memory it is.
  package var pressure: MemoryPressure { shared.pressure }

  /// Rooms open now.
  public var openRooms: Int { shared.rooms.count }

  /// Whether no connection, seat or room is charged to an address.
  var chargesNobody: Bool { shared.admission.isClear && shared.rooms.isClear }

  /// Sessions that have a seat, and so a ticket that is worth something.
  var seatedSessions: Int { shared.sessions.count }

  /// Waits for the loops, then ends the helpers.
  private static func end(_ threads: [LoopThread], _ helpers: [LoopThread], _ admin: AdminServer?) {
    for thread in threads { thread.join() }
    for helper in helpers { helper.stop() }
    for helper in helpers { helper.join() }
    admin?.stop()
  }

  // MARK: Starting

  private static func startLoop(_ index: Int, _ shared: ServerShared) throws -> LoopThread {
    let started = try LoopThread.start(name: "tick-\(index)") { loop in
      let serverLoop = try ServerLoop(index: index, loop: loop, shared: shared)
      // The mailbox keeps the loop's state alive until the loop has ended.
      return try Mailbox<LoopMessage>(loop: loop) { message in serverLoop.handle(message) }
    }
    shared.publish(started.value, of: index)
    return started.thread
  }

  /// Every loop listens on the port; the kernel spreads the connections.
  private static func listen(_ loops: Int, _ shared: ServerShared) throws -> UInt16 {
    var port: UInt16 =
      switch shared.configuration.port {
      case .any: 0
      case .number(let number): UInt16(number)
      }
    // The loops share the port, which would let another server of this user share it too: ask alone first.
    if port != 0 { try Listener.probe(host: shared.configuration.host, port: port) }
    for index in 0..<loops {
      let reply = Handover<Result<UInt16, any Error>>()
      guard shared.post(.listen(port, reply), to: index) else { throw StartError("loop \(index) ended while starting") }
      port = try reply.take().get()
    }
    return port
  }
}

/// A signal stopped the server before it had started.
public struct StoppedAtStart: Error, CustomStringConvertible, Sendable {
  /// The same in a line.
  public let description = "the server was stopped while it started"
}

/// Why a server can't start; one line that says what to do.
public struct StartError: Error, CustomStringConvertible, Sendable {
  /// The line.
  public let description: String

  init(_ description: String) { self.description = description }
}

/// The worst case of a configuration's memory is over the limit: the sum, and the settings to change.
public struct MemoryPlanError: Error, CustomStringConvertible, Sendable {
  /// The arithmetic, in a few lines.
  public let description: String
}
