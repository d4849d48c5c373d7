import EventLoop
import Glibc
import Logging

/// SIGTERM, SIGINT and SIGHUP: the first drains, a second one ends at once.
///
/// On a loop of its own, which ends after all others: a second signal may come when some of them have drained already,
/// and must not meet the system's default, which ends the process with another exit code.
enum SignalThread {
  static func start(_ shared: ServerShared) throws -> LoopThread {
    try LoopThread.start(name: "signals") { loop in
      let state = StopRequests(shared)
      for signal in stopSignals {
        _ = try SignalSource(loop: loop, signal: signal) { _ in state.signalled() }
      }
    }.thread
  }
}

/// There is no reload yet: SIGHUP, too, must not end the process without a goodbye. Ignored from the start, as `nohup`
/// leaves it, it stays ignored.
private var stopSignals: [Int32] {
  var hangUp = sigaction()
  sigaction(SIGHUP, nil, &hangUp)
  // Functions can't be compared, and `SIG_IGN` is none: it is 1.
  let handler = unsafeBitCast(hangUp.__sigaction_handler.sa_handler, to: Int.self)
  return handler == unsafeBitCast(SIG_IGN, to: Int.self) ? [SIGTERM, SIGINT] : [SIGTERM, SIGINT, SIGHUP]
}

/// Confined to the signal loop.
private final class StopRequests {
  private let shared: ServerShared
  private var count = 0

  init(_ shared: ServerShared) {
    self.shared = shared
  }

  func signalled() {
    count += 1
    shared.logger.info(count == 1 ? "stopping: saying goodbye" : "stopping at once")
    shared.postToAll(count == 1 ? .drain : .stop)
  }
}
