import EventLoop
import Glibc
import Logging
import RoomEngine

/// What all loops of a server share: the configuration, the directories and the clock's origin.
final class ServerShared: Sendable {
  let configuration: ServerConfiguration
  /// The plan that the configuration was let start with.
  let memory: LimitedPlan
  let pressure: MemoryPressure
  let memoryReader: MemoryReader
  let rooms: RoomDirectory
  let sessions = SessionDirectory()
  let admission: ConnectionAdmission
  /// What connections carry from loop to loop.
  let moving = Locked(MovingBudget())
  let authenticator: Authenticator
  /// The server clock's zero.
  let origin: Instant
  let timeSource: ServerTime
  let logger: Logger
  let loopCount: Int
  let paceLimits: ConnectionPace.Limits
  /// The shortest stall deadline of any room kind.
  let leastStallNanoseconds: UInt64
  /// After this the kernel may end a connection by itself: longer than any deadline of ours, for a process that was killed
  /// and can end none.
  let abandonedNanoseconds: UInt64
  private let mailboxes: Locked<[Mailbox<LoopMessage>?]>
  /// What each loop last said about itself; the last word of those that have ended.
  private let snapshots: Locked<[LoopSnapshot]>
  private let lifecycle = Locked(ServerLifecycle())
  private let startedUnixSeconds = Double(time(nil))
  private let endedLoops: Locked<[LoopReport?]>
  /// Descriptors as last counted one by one, which the memory's thread does where the kernel does not tell their number.
  private let process = Locked(ProcessReadings.now())

  init(
    configuration: ServerConfiguration, memory: LimitedPlan, loops: Int, authenticator: Authenticator, logger: Logger,
    timeSource: ServerTime = .system
  ) {
    self.configuration = configuration
    self.memory = memory
    self.timeSource = timeSource
    let admission = ConnectionAdmission(configuration)
    self.admission = admission
    let kernelBytes = memory.plan.kernelBytesOfConnection
    let reader = MemoryReader(configuration.memoryLimit) {
      admission.held.multipliedReportingOverflow(by: kernelBytes).partialValue
    }
    memoryReader = reader
    pressure = MemoryPressure(
      laggardBudget: memory.plan.sizes.laggardBudget, loops: loops, quickBytes: { reader.quickBytes() })
    self.authenticator = authenticator
    loopCount = loops
    paceLimits = ConnectionPace.Limits(configuration)
    let stalls = configuration.roomKinds.map { $0.limits.stallDeadline.wholeNanoseconds }
    leastStallNanoseconds = stalls.min() ?? ConnectionLifecycle.lingerNanoseconds
    let lags = configuration.roomKinds.map { $0.limits.lagDeadline.wholeNanoseconds }
    let longest = (stalls + lags).reduce(configuration.idleDeadline.wholeNanoseconds, max)
    abandonedNanoseconds = longest + 10_000_000_000
    mailboxes = Locked(Array(repeating: nil, count: loops))
    endedLoops = Locked(Array(repeating: nil, count: loops))
    self.logger = logger
    rooms = RoomDirectory(
      kinds: configuration.roomKinds, loops: loops, mostRooms: configuration.maxRooms,
      perAddress: configuration.maxRoomsPerAddress)
    origin = timeSource.now
    snapshots = Locked(Array(repeating: LoopSnapshot(publishedAt: origin), count: loops))
  }

  /// Microseconds of the server clock.
  func microseconds(at instant: Instant) -> UInt64 { instant.nanoseconds(since: origin) / 1000 }

  /// What a loop says about itself, for the admin port.
  func publish(_ snapshot: LoopSnapshot, of loop: Int) {
    snapshots.withLock { $0[loop] = snapshot }
  }

  /// What the admin port answers with, as of now. Called on its thread: loops are not asked, they have published.
  func readings() -> AdminReadings {
    let snapshot = pressure.snapshot
    return AdminReadings(
      now: timeSource.now, startedAt: origin, startedUnixSeconds: startedUnixSeconds,
      state: state, loops: snapshots.withLock { $0 },
      process: process.withLock { $0 }.renewed(),
      memory: MemoryStatus(
        limitBytes: memory.limit?.size.bytes, planBytes: memory.plan.totalBytes,
        usedShare: snapshot.limitBytes > 0 ? Double(snapshot.usedBytes) / Double(snapshot.limitBytes) : nil,
        pressure: snapshot.level),
      lostLogLines: LogWriter.ofProcess.withLock { $0 }?.lostLines ?? 0)
  }

  /// What was counted.
  func publish(_ readings: ProcessReadings) {
    process.withLock { $0 = readings }
  }

  /// Makes a loop reachable; all are before any of them accepts.
  func publish(_ mailbox: Mailbox<LoopMessage>, of loop: Int) {
    mailboxes.withLock { $0[loop] = mailbox }
  }

  /// A loop's last word.
  func report(_ report: LoopReport, of loop: Int) {
    endedLoops.withLock { $0[loop] = report }
  }

  /// What the loops that have ended did.
  var reports: [LoopReport] { endedLoops.withLock { $0.compactMap { $0 } } }

  /// Sends a message to a loop; false when that loop has ended.
  func post(_ message: LoopMessage, to loop: Int) -> Bool {
    let mailbox = mailboxes.withLock { $0[loop] }
    return mailbox?.post(message) ?? false
  }
}

extension ServerShared {
  /// Tells all loops something that does not end them.
  func postToServing(_ message: LoopMessage) {
    for loop in 0..<loopCount { _ = post(message, to: loop) }
  }

  /// Where the server is on its way to the end.
  var state: ServerLifecycle.State { lifecycle.withLock { $0.state } }

  /// Rooms and players that are left, as the loops last published.
  var left: (rooms: Int, players: Int) {
    snapshots.withLock { loops in
      loops.reduce(into: (0, 0)) { sum, loop in
        sum.0 += loop.census.rooms
        sum.1 += loop.census.seats
      }
    }
  }

  /// Takes a step towards the end, tells all loops and logs who asked for it. Called on any thread.
  func handle(_ event: ServerLifecycle.Event, by cause: String) {
    let action = lifecycle.withLock { lifecycle in lifecycle.handle(event) }
    let message: LoopMessage
    switch action {
    case .none: return
    case .letRoomsEnd(let lameDuck):
      // Before the loops are told: a room that a join opens from here on would not be told.
      rooms.closeToNewRooms()
      message = .letRoomsEnd(lameDuck)
    case .drain: message = .drain
    case .stop: message = .stop
    }
    for loop in 0..<loopCount { _ = post(message, to: loop) }
    // A server that could not start has one line for that elsewhere.
    if event != .failed { log(action, by: cause) }
  }

  private func log(_ action: ServerLifecycle.Action, by cause: String) {
    let left = left
    var metadata: Logger.Metadata = ["by": "\(cause)", "rooms": "\(left.rooms)", "players": "\(left.players)"]
    switch action {
    case .none: break
    case .letRoomsEnd(let lameDuck):
      metadata["secondsLeft"] = "\(lameDuck.secondsLeft(at: timeSource.now))"
      logger.notice("lame duck: rooms may end, no new ones", metadata: metadata)
    case .drain: logger.notice("stopping: saying goodbye", metadata: metadata)
    case .stop: logger.notice("stopping at once", metadata: metadata)
    }
  }
}

extension ServerLifecycle.Order {
  /// What the configuration says of a first signal.
  init(_ setting: LameDuckTime) {
    switch setting {
    case .off: self = .atOnce
    case .atMost(let time): self = .within(nanoseconds: time.wholeNanoseconds)
    }
  }
}

/// What one loop tells another.
enum LoopMessage: Sendable {
  /// Accept connections on this port (0: any); the reply is the port bound.
  case listen(UInt16, Handover<Result<UInt16, any Error>>)
  /// A connection moves here.
  case arrival(MovingConnection)
  /// Open no further rooms, tell those that are open, and see to it that the last one is closed in time.
  case letRoomsEnd(LameDuck)
  /// Memory has become critically short: do not wait for the next sweep.
  case relievePressure
  /// Close a room, by its name, because memory is short; the text says how short.
  case closeRoom(String, String)
  /// Stop accepting, say goodbye, let connections take their last bytes.
  case drain
  /// End now.
  case stop
}
