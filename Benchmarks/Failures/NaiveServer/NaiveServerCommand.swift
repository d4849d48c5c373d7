import ArgumentParser
import EventLoop
import Glibc

@main
struct NaiveServerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "NaiveServer",
    abstract: "The servers that TickServer is compared with: a hub that passes each message on to every other client.",
    discussion: """
      Messages are a length in 4 bytes, little-endian, and as many bytes. It listens on 127.0.0.1 alone.

      Example:
        NaiveServer --mode bounded --port any
      """)

  enum Mode: String, ExpressibleByArgument, CaseIterable {
    case perMessage = "per-message"
    case bounded
    case zombie
  }

  @Option(help: "per-message: queues without a bound. bounded: too much aborts. zombie: a full queue sets a flag.")
  var mode: Mode

  @Option(help: "The TCP port, 1 to 65535, or any.")
  var port = "any"

  @Option(help: "Messages that a queue may hold (bounded, zombie).")
  var queueMessages = 1_024

  @Option(help: "Bytes that a queue may hold (bounded).")
  var queueBytes = 16 * 1024 * 1024

  @Option(help: "SO_SNDBUF of a connection, in bytes.")
  var sendBufferBytes = 64 * 1024

  @Option(help: "SO_RCVBUF of a connection, in bytes.")
  var receiveBufferBytes = 16 * 1024

  func validate() throws {
    guard port == "any" || UInt16(port).map({ $0 > 0 }) == true else {
      throw ValidationError("--port is 1 to 65535 or any, not \"\(port)\"")
    }
    let sizes = [
      ("--queue-messages", queueMessages), ("--queue-bytes", queueBytes), ("--send-buffer-bytes", sendBufferBytes),
      ("--receive-buffer-bytes", receiveBufferBytes),
    ]
    for (name, value) in sizes where value < 1 { throw ValidationError("\(name) is at least 1, not \(value)") }
  }

  func run() throws {
    let loop = try Loop()
    let policy: OverflowPolicy =
      switch mode {
      case .perMessage: .keep
      case .bounded: .abort(messages: queueMessages, bytes: queueBytes)
      case .zombie: .flag(messages: queueMessages)
      }
    let buffers = Hub.SocketBuffers(sendBytes: sendBufferBytes, receiveBytes: receiveBufferBytes)
    let hub = try Hub(loop: loop, port: UInt16(port) ?? 0, policy: policy, buffers: buffers)
    _ = try SignalSource(loop: loop, signal: SIGTERM) { _ in loop.stop() }
    // The last thing before it serves: whoever waits for it may count descriptors from here.
    hub.logAddress()
    // Streams hold their subscribers, which hold the hub unowned.
    withExtendedLifetime(hub) { loop.run() }
  }
}
