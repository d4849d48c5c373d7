import Glibc

/// Runs a server with this configuration until it is stopped: the one place where the program meets the server.
///
/// - Throws: why the server could not start; the message becomes one line on standard error.
func serve(_ configuration: ServerConfiguration) throws {
  unblockStopSignals()
  try Server.start(configuration).waitUntilStopped()
}

/// A program inherits blocked signals from the one that starts it, and some supervisors start others from threads that
/// block all. SIGTERM would then never arrive. Called before the loops' threads, which inherit it in turn.
private func unblockStopSignals() {
  var signals = sigset_t()
  sigemptyset(&signals)
  sigaddset(&signals, SIGTERM)
  sigaddset(&signals, SIGINT)
  sigaddset(&signals, SIGHUP)
  pthread_sigmask(SIG_UNBLOCK, &signals, nil)
}
