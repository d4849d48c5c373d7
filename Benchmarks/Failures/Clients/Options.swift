import ArgumentParser
import Foundation

/// Which server, and how to speak to it.
struct ServerOptions: ParsableArguments {
  enum DialectName: String, ExpressibleByArgument, CaseIterable {
    case naive
    case tickserver
  }

  @Option(help: "The server's port on 127.0.0.1.")
  var port: UInt16

  @Option(help: "The protocol: naive or tickserver.")
  var dialect: DialectName

  @Option(help: "SO_RCVBUF of each client, in bytes.")
  var receiveBufferBytes = 64 * 1024

  func validate() throws {
    guard port > 0 else { throw ValidationError("--port is 1 to 65535, not 0") }
    guard receiveBufferBytes > 0 else {
      throw ValidationError("--receive-buffer-bytes is at least 1, not \(receiveBufferBytes)")
    }
  }

  /// A dialect for one client.
  func makeDialect(index: Int, company: TickDialect.Company, keepsState: Bool) -> any Dialect {
    switch dialect {
    case .naive: NaiveDialect(index: index)
    case .tickserver: TickDialect(index: index, company: company, keepsState: keepsState)
    }
  }
}

/// Why a run could not be made.
struct RunFailure: Error, CustomStringConvertible {
  let description: String
}

/// Writes a value as a line of JSON to standard output, at once: the reader follows it live.
func emit(_ line: some Encodable) {
  let encoder = JSONEncoder()
  encoder.outputFormatting = .sortedKeys
  guard var bytes = try? encoder.encode(line) else { return }
  bytes.append(UInt8(ascii: "\n"))
  try? FileHandle.standardOutput.write(contentsOf: bytes)
}
