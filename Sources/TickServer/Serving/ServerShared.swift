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
  let rooms: RoomDirectory
  let sessions = SessionDirectory()
  let admission: ConnectionAdmission
  let authenticator: Authenticator
  /// The server clock's zero.
  let origin: Instant
  let timeSource: ServerTime
  let logger: Logger
  let loopCount: Int
  let paceLimits: ConnectionPace.Limits
  private let mailboxes: Locked<[Mailbox<LoopMessage>?]>
  /// What each loop last said about itself; the last word of those that have ended.
  private let snapshots: Locked<[LoopSnapshot]>
  fileprivate let isDraining = Locked(false)
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
    pressure = MemoryPressure(
      limit: memory.limit?.size, laggardBudget: memory.plan.sizes.laggardBudget, loops: loops)
    self.authenticator = authenticator
    loopCount = loops
    paceLimits = ConnectionPace.Limits(configuration)
    mailboxes = Locked(Array(repeating: nil, count: loops))
    endedLoops = Locked(Array(repeating: nil, count: loops))
    self.logger = logger
    rooms = RoomDirectory(kinds: configuration.roomKinds, loops: loops, mostRooms: configuration.maxRooms)
    admission = ConnectionAdmission(configuration)
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
    AdminReadings(
      now: timeSource.now, startedAt: origin, startedUnixSeconds: startedUnixSeconds,
      isDraining: isDraining.withLock { $0 }, loops: snapshots.withLock { $0 },
      process: process.withLock { $0 }.renewed(),
      memory: MemoryStatus(
        limitBytes: memory.limit?.size.bytes, planBytes: memory.plan.totalBytes, pressure: pressure.level),
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
  /// Tells all loops that have not ended to drain or to stop: whichever it is, no more players should come.
  func postToAll(_ message: LoopMessage) {
    isDraining.withLock { $0 = true }
    for loop in 0..<loopCount { _ = post(message, to: loop) }
  }
}

/// What one loop tells another.
enum LoopMessage: Sendable {
  /// Accept connections on this port (0: any); the reply is the port bound.
  case listen(UInt16, Handover<Result<UInt16, any Error>>)
  /// A connection moves here.
  case arrival(MovingConnection)
  /// Stop accepting, say goodbye, let connections take their last bytes.
  case drain
  /// End now.
  case stop
}
