import EventLoop
import Logging
import RoomEngine

/// Watches the process's memory on a thread of its own: reading it takes the kernel a while in large containers, and a tick
/// must not wait for that.
final class MemoryMonitor {
  typealias Read = @Sendable () -> MemoryReading?

  /// Between two readings. A level is known that much too late; 15% of the limit lie between the first level and its
  /// end.
  static let intervalMilliseconds: UInt64 = 250
  /// 5 s between two looks at the free memory.
  private static let turnsBetweenReturns = 20
  /// Less is not worth the milliseconds.
  private static let leastReturnBytes = 1024 * 1024

  private let shared: ServerShared
  private let read: Read
  private var turns = 0
  private var freeAfterReturn = 0

  private init(_ shared: ServerShared, _ read: @escaping Read) {
    self.shared = shared
    self.read = read
  }

  static func start(_ shared: ServerShared, read: @escaping Read) throws -> LoopThread {
    try LoopThread.start(name: "memory") { loop in
      yieldToOtherThreads()
      let monitor = MemoryMonitor(shared, read)
      let timer = try Timer(loop: loop) { monitor.turn() }
      timer.start(everyMilliseconds: intervalMilliseconds)
    }.thread
  }

  private func turn() {
    if let reading = read(), let changed = shared.pressure.note(reading) { log(changed) }
    returnMemoryAfterPeak()
  }

  private func log(_ snapshot: MemoryPressure.Snapshot) {
    shared.logger.log(
      level: snapshot.level == .normal ? .notice : .warning, "memory pressure",
      metadata: [
        "level": "\(snapshot.level.rawValue)", "used": "\(sizeText(snapshot.usedBytes))",
        "limit": "\(shared.pressure.limit.map { sizeText($0.bytes) } ?? "none")",
        "rss": "\(sizeText(snapshot.rssBytes))", "laggards": "\(sizeText(snapshot.laggardBytes))",
        "laggardBudget": "\(sizeText(shared.pressure.laggardBudget.bytes))",
      ])
  }

  /// What a crowd leaves is scattered over the C library's heaps, and comes free in steps: connections at once, seats after
  /// their grace, rooms when they have lingered. So not the crowd is looked at but the free bytes: those that came since
  /// the last return.
  private func returnMemoryAfterPeak() {
    turns += 1
    guard turns % MemoryMonitor.turnsBetweenReturns == 0 else { return }
    let free = freeHeapBytes()
    // Free bytes that were used again were no waste.
    freeAfterReturn = min(freeAfterReturn, free)
    guard free - freeAfterReturn > MemoryMonitor.leastReturnBytes || shared.pressure.level > .normal else { return }
    returnFreeMemoryToSystem()
    // Read anew: the top of a heap, once returned, is free no more, and as much may come free again before the next
    // look.
    freeAfterReturn = freeHeapBytes()
  }
}
