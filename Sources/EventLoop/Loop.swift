import CUV
import Glibc

/// One libuv loop, confined to the thread that runs it.
///
/// Every loop that was created must be run to its end (`stop()`, then `run()` returns): that is where its handles are
/// closed and its memory and descriptors are given back. Work from other threads comes in through mailboxes only.
package final class Loop {
  /// Work posted to the loop from any thread.
  package typealias Work = @Sendable (Loop) -> Void

  /// Bytes read at once. One buffer serves all streams of the loop: an idle connection costs no buffer of its own.
  package static let readBufferBytes = 64 * 1024

  let raw: UnsafeMutablePointer<uv_loop_t>
  /// One for all streams; nothing in it outlives the call that it is handed to.
  package let readBuffer: UnsafeMutableRawBufferPointer
  /// Bytes of it that one read fills at most: 1 to ``readBufferBytes``.
  package var readBytes = Loop.readBufferBytes {
    didSet { readSlice.pointee = uv_buf_t(UnsafeRawBufferPointer(start: readBuffer.baseAddress, count: readBytes)) }
  }
  /// The same as libuv wants it; `raw.data` points here, so that a read finds it without a look at any object.
  private let readSlice: UnsafeMutablePointer<uv_buf_t>
  let writeRequests = WriteRequestPool()
  let writeVector: UnsafeMutablePointer<uv_buf_t>

  /// Open handles by kind; all zero after `run()`.
  package internal(set) var gauges = LoopGauges()
  /// True from `stop()` on: no new handle can be opened.
  package private(set) var isStopping = false
  /// True once `run()` has returned.
  package private(set) var hasEnded = false

  private var ownMailbox: Mailbox<Work>?
  private var deferred: [() -> Void] = []
  /// Name look-ups under way are requests, not handles: `stop()` must cancel them by itself.
  private var lookUps: [ObjectIdentifier: ConnectAttempt] = [:]
  @exclusivity(unchecked) private var cachedTime = Loop.clock()
  @exclusivity(unchecked) private var cachedMilliseconds: UInt64 = 0

  package init() throws(LoopError) {
    Loop.ignoreBrokenPipeSignal
    Loop.standardDescriptorsAreOpen
    raw = .allocate(capacity: 1)
    let result = uv_loop_init(raw)
    guard result == 0 else {
      raw.deallocate()
      throw LoopError("uv_loop_init", code: result)
    }
    readBuffer = .allocate(byteCount: Loop.readBufferBytes, alignment: 16)
    readSlice = .allocate(capacity: 1)
    readSlice.initialize(to: uv_buf_t(UnsafeRawBufferPointer(readBuffer)))
    raw.pointee.data = UnsafeMutableRawPointer(readSlice)
    writeVector = .allocate(capacity: Stream.maximumSlices)
    writeVector.initialize(repeating: uv_buf_t(), count: Stream.maximumSlices)
    do {
      ownMailbox = try Mailbox(loop: self) { [unowned self] work in work(self) }
    } catch {
      tearDown()
      throw error
    }
  }

  deinit {
    readBuffer.deallocate()
    readSlice.deallocate()
    writeVector.deallocate()
    raw.deallocate()
  }

  /// Work for this loop, from any thread. Closed by `stop()`.
  package var mailbox: Mailbox<Work> {
    guard let ownMailbox else { preconditionFailure("init sets the mailbox before anyone can see the loop") }
    return ownMailbox
  }

  /// Serves the loop until `stop()`, then closes every handle still open and returns when the last close callback ran.
  package func run() {
    // A stop within a turn by hand is forgotten by libuv when that turn returns.
    if !isStopping { uv_run(raw, UV_RUN_DEFAULT) }
    isStopping = true
    repeat {
      runDeferred()
      closeEverything()
    } while uv_run(raw, UV_RUN_DEFAULT) != 0 || !deferred.isEmpty
    tearDown()
    hasEnded = true
  }

  /// Does once what is ready, without waiting: for tests that turn a loop by hand. `run()` must end it all the same.
  package func turn() {
    uv_run(raw, UV_RUN_NOWAIT)
  }

  /// Ends `run()` after the current callback. From other threads: `mailbox.post { $0.stop() }`.
  package func stop() {
    isStopping = true
    uv_stop(raw)
  }

  /// `CLOCK_MONOTONIC`, read now.
  package static func clock() -> MonotonicTime {
    MonotonicTime(nanoseconds: uv_hrtime())
  }

  /// The time of this turn of the loop, for time-outs and idle marks: costs a load, and is behind by up to 1 ms plus
  /// what the turn's earlier callbacks took. Use `clock()` where that matters.
  package var now: MonotonicTime {
    let milliseconds = uv_now(raw)
    if milliseconds != cachedMilliseconds {
      cachedMilliseconds = milliseconds
      cachedTime = Loop.clock()
    }
    return cachedTime
  }

  /// Runs `work` on this loop after the current callback has returned.
  package func enqueue(_ work: @escaping () -> Void) {
    deferred.append(work)
    // While the loop ends its mailbox is closed, and `run()` does this itself.
    if deferred.count == 1 { mailbox.post { loop in loop.runDeferred() } }
  }

  func lookUpBegan(_ attempt: ConnectAttempt) { lookUps[ObjectIdentifier(attempt)] = attempt }

  func lookUpEnded(_ attempt: ConnectAttempt) { lookUps[ObjectIdentifier(attempt)] = nil }

  private func runDeferred() {
    let batch = deferred
    deferred = []
    for work in batch { work() }
  }

  private func closeEverything() {
    for attempt in lookUps.values { attempt.cancel() }
    uv_walk(
      raw,
      { handle, _ in
        guard let handle, let data = handle.pointee.data else { return }
        Unmanaged<LoopHandle>.fromOpaque(data).takeUnretainedValue().close()
      }, nil)
  }

  private func tearDown() {
    let result = uv_loop_close(raw)
    assert(result == 0, "uv_loop_close: \(result), gauges \(gauges)")
    writeRequests.removeAll()
  }

  /// A write to a connection the peer has reset must be an error of that connection, not the end of the process.
  private static let ignoreBrokenPipeSignal: Void = {
    _ = signal(SIGPIPE, SIG_IGN)
  }()

  private static let standardDescriptorsAreOpen: Void = fillStandardDescriptors()
}
