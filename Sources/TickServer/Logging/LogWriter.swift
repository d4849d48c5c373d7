import EventLoop
import Glibc
import RoomEngine

/// Takes log lines from any thread and writes them on a thread of its own: whoever logs never waits for the reader of the
/// log, which may be stuck, or for a disk, which may be full.
///
/// The queue is bounded in bytes. A line that does not fit, or that the stream refuses, is dropped and counted; the count
/// is told in the log as soon as it flows again.
// @unchecked Sendable: `queue` is locked; the semaphore is made for sharing and lives at a fixed address; the rest is the
// writer thread's.
final class LogWriter: @unchecked Sendable {
  /// Takes bytes; returns how many, or an error number below 0. May wait: only the writer's thread calls it.
  typealias Write = @Sendable (UnsafeRawBufferPointer) -> Int

  private struct Queue {
    /// Whole lines.
    var lines: [UInt8] = []
    /// Lines that found no place since the last batch was taken.
    var dropped: UInt64 = 0
    /// All lines that were lost, here and at the stream.
    var lost: UInt64 = 0
    var isWriting = false
    var hasEnded = false
  }

  /// Who writes the log of this process; nil where something else does.
  static let ofProcess = Locked<LogWriter?>(nil)

  private let queue: Locked<Queue>
  private let bytes: Int
  private let write: Write
  private let notice: @Sendable (UInt64) -> String
  private let filled = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  // The writer's thread.
  private var batch: [UInt8] = []
  /// Lines lost and not told yet.
  private var untold: UInt64 = 0
  /// The stream broke off within a line: what comes next must not continue it.
  private var isWithinLine = false

  /// Starts the thread. It ends with ``stop()``, or with the process.
  ///
  /// - Parameters:
  ///   - bytes: most that wait; as many again may be on their way.
  ///   - notice: the line that tells how many were lost.
  init(
    bytes: Int = MemoryCosts.logQueue, notice: @escaping @Sendable (UInt64) -> String, write: @escaping Write
  ) throws(LoopError) {
    self.bytes = bytes
    self.notice = notice
    self.write = write
    var first = Queue()
    // At once, and untouched pages cost nothing: a loop must not copy a growing array.
    first.lines.reserveCapacity(bytes)
    queue = Locked(first)
    batch.reserveCapacity(bytes)
    sem_init(filled, 0, 0)
    try LoopThread.startHelper(name: "log") { self.run() }
  }

  deinit {
    sem_destroy(filled)
    filled.deallocate()
  }

  /// From any thread; never waits but for others that are in here, which copy a line.
  func append(_ line: String) {
    var line = line
    line.withUTF8 { utf8 in
      let wakes = queue.withLock { queue in
        guard queue.lines.count + utf8.count <= bytes else {
          queue.dropped += 1
          queue.lost += 1
          return false
        }
        let wakes = queue.lines.isEmpty
        queue.lines.append(contentsOf: utf8)
        return wakes
      }
      if wakes { sem_post(filled) }
    }
  }

  /// Lines lost since the start.
  var lostLines: UInt64 { queue.withLock { $0.lost } }

  /// Waits until all is written, at most for so long: a reader that is stuck must not keep the process.
  ///
  /// - Returns: whether all is written.
  @discardableResult
  func flush(withinMilliseconds patience: UInt64) -> Bool {
    let end = Loop.clock().nanoseconds + patience * 1_000_000
    while queue.withLock({ !$0.lines.isEmpty || $0.isWriting }) {
      guard Loop.clock().nanoseconds < end else { return false }
      usleep(1000)
    }
    return true
  }

  /// Ends the thread once what is queued is written. For tests.
  func stop() {
    queue.withLock { $0.hasEnded = true }
    sem_post(filled)
  }

  // MARK: The writer's thread

  private func run() {
    while true {
      sem_wait(filled)
      while takeBatch() {}
      if queue.withLock({ $0.hasEnded }) { return }
    }
  }

  /// - Returns: false when there was nothing.
  private func takeBatch() -> Bool {
    let dropped: UInt64? = queue.withLock { queue in
      queue.isWriting = !queue.lines.isEmpty
      guard queue.isWriting else { return nil }
      swap(&queue.lines, &batch)
      defer { queue.dropped = 0 }
      return queue.dropped
    }
    guard let dropped else { return false }
    defer { batch.removeAll(keepingCapacity: true) }
    // What was lost came before this.
    if tellLost() { writeLines(batch) } else { lose(batch[...]) }
    untold += dropped
    _ = tellLost()
    return true
  }

  /// - Returns: false when the stream takes nothing.
  private func tellLost() -> Bool {
    guard untold > 0 || isWithinLine else { return true }
    var text = isWithinLine ? "\n" : ""
    if untold > 0 { text += notice(untold) }
    guard writeAll(Array(text.utf8)) == nil else { return false }
    (untold, isWithinLine) = (0, false)
    return true
  }

  private func writeLines(_ lines: [UInt8]) {
    guard let failedAt = writeAll(lines) else { return }
    isWithinLine = failedAt > 0 && lines[failedAt - 1] != LogWriter.lineEnd
    lose(lines[failedAt...])
  }

  private func lose(_ lines: ArraySlice<UInt8>) {
    let count = UInt64(lines.count { $0 == LogWriter.lineEnd })
    untold += count
    queue.withLock { $0.lost += count }
  }

  /// - Returns: where the stream broke off; nil when it took all.
  private func writeAll(_ lines: [UInt8]) -> Int? {
    lines.withUnsafeBytes { bytes in
      var start = 0
      while start < bytes.count {
        let taken = write(UnsafeRawBufferPointer(rebasing: bytes[start..<LogWriter.end(of: bytes, from: start)]))
        guard taken > 0 else { return start }
        start += taken
      }
      return nil
    }
  }

  /// A pipe takes a page at once: whole lines, where they fit, do not mix with those of other processes.
  private static func end(of bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
    guard bytes.count - start > atomicBytes else { return bytes.count }
    let page = bytes[start..<start + atomicBytes]
    return page.lastIndex(of: lineEnd).map { $0 + 1 } ?? page.endIndex
  }

  private static let atomicBytes = 4096
  private static let lineEnd = UInt8(ascii: "\n")
}
