import EventLoop

/// Asks a running server's admin port whether it is well, the health check of a container, or to stop.
struct HealthProbe: Equatable {
  /// Shorter than the timeout of the image's HEALTHCHECK, so that the reason is still told.
  private static let patienceMilliseconds: UInt64 = 2_000
  private static let mostAnswerBytes = 16 * 1024

  let host: String
  let port: UInt16
  /// `/livez`, `/readyz` or `/drain`, with its query.
  let path: String
  let method: String

  /// Nil when the port of the configuration cannot be known from outside.
  init?(_ configuration: AdminConfiguration, path: String, method: String = "GET") {
    guard case .number(let number) = configuration.port, let port = UInt16(exactly: number) else { return nil }
    // A wildcard is where a server listens, not where one connects to.
    host = ["0.0.0.0": "127.0.0.1", "::": "::1"][configuration.host] ?? configuration.host
    self.port = port
    self.path = path
    self.method = method
  }

  /// Whether the answer was yes, and what to print: the server's own words, or why it could not be asked.
  func run() -> (isWell: Bool, text: String) {
    let inquiry = Inquiry(
      host: host, port: port, patienceMilliseconds: Self.patienceMilliseconds, mostBytes: Self.mostAnswerBytes)
    let name = host.contains(":") ? "[\(host)]" : host
    let question = "\(method) \(path) HTTP/1.1\r\nHost: \(name)\r\nConnection: close\r\n\r\n"
    do throws(LoopError) {
      return Self.verdict(try inquiry.ask(Array(question.utf8)))
    } catch {
      return (false, "\(error). Does the server run, with this admin.host and admin.port?")
    }
  }

  static func verdict(_ answer: [UInt8]) -> (isWell: Bool, text: String) {
    let text = String(decoding: answer, as: UTF8.self)
    let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
    let words = lines[0].split(separator: " ")
    guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
      return (false, "what answered is not an admin port: \(oneLine(String(lines[0])))")
    }
    let body = lines.drop { !$0.isEmpty }.dropFirst().joined().split(separator: "\n").joined(separator: "; ")
    return (status == 200, body.isEmpty ? "status \(status)" : oneLine(body))
  }
}
