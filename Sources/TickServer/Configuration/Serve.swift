import Glibc

/// Runs a server with this configuration until it is stopped: the one place where the program meets the server.
///
/// - Throws: why the server could not start; the message becomes one line on standard error.
func serve(_ configuration: ServerConfiguration) throws {
  StopSignals.change(SIG_BLOCK)
  do {
    try Server.start(configuration).waitUntilStopped()
  } catch is StoppedAtStart {
    // As asked.
  }
}
