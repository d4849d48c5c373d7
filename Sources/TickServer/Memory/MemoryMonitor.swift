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
  /// 10 s between two counts of all descriptors, where the kernel does not tell their number.
  private static let turnsBetweenCounts = 40
  /// 5 s between two looks at the free memory.
  private static let turnsBetweenReturns = 20

  private let shared: ServerShared
  private let read: Read
  private var turns = 0
  private var memoryReturn = MemoryReturn()

  private init(_ shared: ServerShared, _ read: @escaping Read) {
    self.shared = shared
    self.read = read
  }

  static func start(_ shared: ServerShared, read: @escaping Read) throws -> LoopThread {
    try LoopThread.start(name: "memory") { loop in
      let monitor = MemoryMonitor(shared, read)
      let timer = try Timer(loop: loop) { monitor.turn() }
      timer.start(everyMilliseconds: intervalMilliseconds)
    }.thread
  }

  private func turn() {
    countDescriptors()
    if let reading = read(), let changed = shared.pressure.note(reading) { log(changed) }
    returnMemoryAfterPeak()
  }

  /// For the admin port, which must not list them itself: who asks often would cost more.
  private func countDescriptors() {
    guard turns % MemoryMonitor.turnsBetweenCounts == 0, ProcessReadings.descriptorsToldByKernel() == nil else {
      return
    }
    shared.publish(.now())
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

  private func returnMemoryAfterPeak() {
    turns += 1
    guard turns % MemoryMonitor.turnsBetweenReturns == 0 else { return }
    guard memoryReturn.isDue(freeBytes: freeHeapBytes()) || shared.pressure.level > .normal else { return }
    returnFreeMemoryToSystem()
    memoryReturn.returned(freeBytes: freeHeapBytes())
  }
}
