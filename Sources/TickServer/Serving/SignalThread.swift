import EventLoop
import Glibc
import RoomEngine

/// SIGTERM, SIGINT and SIGHUP: each is a step of ``RoomEngine/ServerLifecycle``. The first begins the lame duck if there is
/// one (`lameDuck`), the next says goodbye to everyone, one more ends at once.
///
/// On a loop of its own, which ends after all others: a second signal may come when some of them have drained already,
/// and must not meet the system's default, which ends the process with another exit code.
enum SignalThread {
  static func start(_ shared: ServerShared) throws -> LoopThread {
    try LoopThread.start(name: "signals") { loop in
      let order = ServerLifecycle.Order(shared.configuration.lameDuck)
      for (signal, name) in StopSignals.heard {
        _ = try SignalSource(loop: loop, signal: signal) { _ in
          shared.handle(.signalled(order, now: shared.timeSource.now), by: name)
        }
      }
      StopSignals.change(SIG_UNBLOCK)
    }.thread
  }
}

/// The signals that stop a server.
enum StopSignals {
  private static let all = [(SIGTERM, name: "SIGTERM"), (SIGINT, name: "SIGINT"), (SIGHUP, name: "SIGHUP")]

  /// There is no reload yet: SIGHUP, too, must not end the process without a goodbye. Ignored from the start, as `nohup`
  /// leaves it, it stays ignored.
  static var heard: [(Int32, name: String)] {
    var hangUp = sigaction()
    sigaction(SIGHUP, nil, &hangUp)
    // Functions can't be compared, and `SIG_IGN` is none: it is 1.
    let handler = unsafeBitCast(hangUp.__sigaction_handler.sa_handler, to: Int.self)
    return handler == unsafeBitCast(SIG_IGN, to: Int.self) ? all.filter { $0.0 != SIGHUP } : all
  }

  /// Blocks or unblocks them for this thread, and for those that it starts.
  ///
  /// A program blocks them before it starts its server: one that comes before the server hears signals then waits for
  /// that. Its default would end the process, or, in a container's first process, be nothing at all. The thread that hears
  /// them unblocks them, also where the program was started with them blocked, as some supervisors do.
  static func change(_ how: Int32) {
    var signals = sigset_t()
    sigemptyset(&signals)
    for (signal, _) in all { sigaddset(&signals, signal) }
    pthread_sigmask(how, &signals, nil)
  }
}
