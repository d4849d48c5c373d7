import EventLoop
import Logging
import RoomEngine

/// Watches the process's memory on a thread of its own: reading it takes the kernel a while in large containers, and a tick
/// must not wait for that.
///
/// Not at a lower priority than the loops: when they are busy and memory grows, it must still be read in time.
final class MemoryMonitor {
  typealias Read = @Sendable () -> MemoryReading?

  /// 10 s between two counts of all descriptors, where the kernel does not tell their number.
  private static let millisecondsBetweenCounts: UInt64 = 10_000
  /// 5 s between two looks at the free memory.
  private static let millisecondsBetweenReturns: UInt64 = 5000
  /// A loop that has not closed a room by then is stuck: the next newest room is on another, perhaps.
  private static let closingMilliseconds: UInt64 = 1000

  /// A room that its loop was asked to close.
  private struct Closing {
    let room: RoomDirectory.OpenRoom
    let asked: Instant
  }

  private let shared: ServerShared
  private let read: Read
  private var guardian = MemoryGuard()
  private var memoryReturn = MemoryReturn()
  private var lastReading: Instant
  private var lastReturn: Instant
  private var lastCount: Instant?
  private var closing: Closing?

  private init(_ shared: ServerShared, _ read: @escaping Read) {
    self.shared = shared
    self.read = read
    lastReading = shared.timeSource.now
    lastReturn = shared.timeSource.now
  }

  private func clock() -> Instant { shared.timeSource.now }

  static func start(_ shared: ServerShared, read: @escaping Read) throws -> LoopThread {
    try LoopThread.start(name: "memory") { loop in
      let monitor = MemoryMonitor(shared, read)
      // Before anyone can connect: a container that is full already admits nobody.
      _ = monitor.judge(shared.timeSource.now)
      // The timer keeps the monitor, and the loop the timer.
      var timer: Timer?
      timer = try Timer(loop: loop) { timer?.start(afterMilliseconds: monitor.turn()) }
      timer?.start(afterMilliseconds: MemoryGuard.calmMilliseconds)
    }.thread
  }

  /// - Returns: milliseconds until the next turn.
  private func turn() -> UInt64 {
    let now = clock()
    countDescriptors(now)
    defer { returnMemoryAfterPeak(now) }
    var judgement = judge(now)
    if judgement.step == .closeRoom { judgement.milliseconds = closeNewestRoom(now) }
    return judgement.milliseconds
  }

  /// For the admin port, which must not list them itself: who asks often would cost more.
  private func countDescriptors(_ now: Instant) {
    if let lastCount, now.nanoseconds(since: lastCount) / 1_000_000 < Self.millisecondsBetweenCounts { return }
    lastCount = now
    if ProcessReadings.descriptorsToldByKernel() == nil { shared.publish(.now()) }
  }

  private func judge(_ now: Instant) -> MemoryGuard.Judgement {
    guard let reading = read() else { return MemoryGuard.Judgement() }
    let elapsed = now.nanoseconds(since: lastReading) / 1_000_000
    lastReading = now
    let judgement = guardian.judge(reading, after: elapsed, stuckMembers: shared.pressure.stuckMembers)
    if let changed = shared.pressure.note(reading, level: judgement.level) {
      log(changed)
      if changed.level == .critical { shared.postToServing(.relievePressure) }
    }
    return judgement
  }

  // MARK: Rooms

  /// Asks for one room to be closed, or looks whether it is.
  private func closeNewestRoom(_ now: Instant) -> UInt64 {
    if let closing, shared.rooms.isOpen(closing.room),
      now.nanoseconds(since: closing.asked) / 1_000_000 < Self.closingMilliseconds
    {
      return MemoryGuard.busyMilliseconds
    }
    if closing != nil {
      closing = nil
      // What the room held lies free in the C library's heaps: read again without it before the next one is judged.
      returnMemory(now)
      return MemoryGuard.quickMilliseconds
    }
    guard let room = shared.rooms.newest else { return MemoryGuard.busyMilliseconds }
    let snapshot = shared.pressure.snapshot
    let (used, limit) = (sizeText(snapshot.usedBytes), sizeText(snapshot.limitBytes))
    let text = "the server is short of memory: \(used) of \(limit) are used"
    guard shared.post(.closeRoom(room.name, text), to: room.loop) else { return MemoryGuard.busyMilliseconds }
    closing = Closing(room: room, asked: now)
    shared.logger.warning(
      "closing the newest room: memory grows though nobody is admitted",
      metadata: Self.figures(snapshot).merging(
        ["room": "\(room.name)", "kind": "\(room.kind)", "loop": "\(room.loop)"]) { one, _ in one })
    return MemoryGuard.quickMilliseconds
  }

  // MARK: Giving back

  private func returnMemoryAfterPeak(_ now: Instant) {
    guard now.nanoseconds(since: lastReturn) / 1_000_000 >= Self.millisecondsBetweenReturns else { return }
    lastReturn = now
    guard memoryReturn.isDue(freeBytes: freeHeapBytes()) || shared.pressure.level > .normal else { return }
    returnMemory(now)
  }

  private func returnMemory(_ now: Instant) {
    lastReturn = now
    returnFreeMemoryToSystem()
    memoryReturn.returned(freeBytes: freeHeapBytes())
    if let reading = read() { guardian.returned(reading) }
    lastReading = clock()
  }

  // MARK: Logging

  private func log(_ snapshot: MemoryPressure.Snapshot) {
    shared.logger.log(
      level: snapshot.level == .normal ? .notice : .warning, "memory pressure",
      metadata: Self.figures(snapshot).merging(
        [
          "level": "\(snapshot.level.rawValue)", "laggards": "\(sizeText(snapshot.laggardBytes))",
          "laggardBudget": "\(sizeText(shared.pressure.laggardBudget.bytes))",
        ]) { one, _ in one })
  }

  private static func figures(_ snapshot: MemoryPressure.Snapshot) -> Logger.Metadata {
    [
      "used": "\(sizeText(snapshot.usedBytes))",
      "limit": "\(snapshot.limitBytes > 0 ? sizeText(snapshot.limitBytes) : "none")",
      "of": "\(snapshot.source)", "rss": "\(sizeText(snapshot.rssBytes))",
    ]
  }
}
