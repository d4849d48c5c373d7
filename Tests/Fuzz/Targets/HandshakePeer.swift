import Glibc
import WireFormat

/// A client's end of a connection: it says what it is told to, and checks that what it gets are messages of a server.
struct HandshakePeer {
  /// Reads nothing while true.
  var isStalled = false
  private(set) var ticket: [UInt8]?
  private(set) var faults: [String] = []
  private var descriptor: Int32?
  private var assembler = MessageAssembler(limit: WireLimits.serverMessageBytes)
  private var hasGoodbye = false

  init(descriptor: Int32) {
    self.descriptor = descriptor
  }

  /// Sends what the socket takes at once; the rest is lost, which leaves a damaged stream.
  func send(_ bytes: [UInt8]) {
    guard let descriptor else { return }
    _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
  }

  mutating func close() {
    guard let descriptor else { return }
    _ = Glibc.close(descriptor)
    self.descriptor = nil
  }

  mutating func read() {
    guard let descriptor, !isStalled else { return }
    var chunk = [UInt8](repeating: 0, count: 16 * 1024)
    while true {
      let count = recv(descriptor, &chunk, chunk.count, 0)
      guard count > 0 else { return count == 0 ? close() : () }
      take(chunk[..<count])
    }
  }

  private mutating func take(_ bytes: ArraySlice<UInt8>) {
    var messages: [(UInt8, [UInt8])] = []
    do throws(MessageAssembler.Failure) {
      _ = try assembler.feed(bytes.span) { type, body in
        messages.append((type, body.array(0..<body.count)))
        return .proceed
      }
    } catch {
      faults.append("the server's stream is broken: \(error)")
    }
    for (type, body) in messages { take(type, body) }
  }

  private mutating func take(_ type: UInt8, _ body: [UInt8]) {
    if hasGoodbye { faults.append("a message of type \(type) came after the goodbye") }
    do throws(WireError) {
      switch MessageType(rawValue: type) {
      case .welcome: ticket = try Welcome(body.span).ticket
      case .joined: _ = try Joined(body.span)
      case .frame: _ = try FrameHead(body.span)
      case .inputAck: _ = try InputAck(body.span)
      case .reply: _ = try Reply(body.span)
      case .whisper: _ = try Whisper(body.span)
      case .events: _ = try MissedEvents.block(body.span)
      case .joinRefused: _ = try JoinRefused(body.span)
      case .ping: _ = try Ping.token(body.span)
      case .pong: _ = try Pong(body.span)
      case .left: break
      case .goodbye:
        _ = try Goodbye(body.span)
        hasGoodbye = true
      default: faults.append("the server sent a message of type \(type)")
      }
    } catch {
      faults.append("the server's message of type \(type): \(error)")
    }
  }
}
