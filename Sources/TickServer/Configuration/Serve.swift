/// Runs a server with this configuration until it is stopped: the one place where the program meets the server.
///
/// - Throws: why the server could not start; the message becomes one line on standard error.
func serve(_ configuration: ServerConfiguration) throws {
  throw StartError("this build holds no server; only --check-config and --print-config work")
}

/// Why a server did not start.
struct StartError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
