import Glibc
import Testing
import WireFormat

/// What went wrong in a test client, in words.
struct ClientFault: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// A whole message from the server.
struct ServerMessage {
  let type: MessageType
  let body: [UInt8]
}

/// A blocking client on a plain socket. Every wait is bounded.
final class TestClient {
  /// Far beyond what any answer takes, also under a sanitizer on a busy machine.
  static let patienceSeconds = 10.0

  private(set) var descriptor: Int32
  private var assembler = MessageAssembler(limit: WireLimits.serverMessageBytes)
  private var waiting: [ServerMessage] = []
  private(set) var seen: [MessageType] = []
  /// Set by Joined with a schema; follows frames from there on.
  var mirror: RoomMirror?
  var welcome: Welcome?
  var joined: Joined?
  /// The schema that a Joined without one means.
  var knownSchema: Schema?
  private(set) var hasEnded = false
  var nextInput: UInt32 = 1
  var answersPings = true
  /// Sequence of the last input that was acknowledged.
  private(set) var lastAcknowledged: UInt32?
  /// Inputs that it was told were dropped.
  private(set) var inputsDropped: UInt32 = 0

  /// - Parameter receiveBytes: the socket's receive buffer, for peers that read little.
  init(port: Int, receiveBytes: Int? = nil) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    if let receiveBytes {
      var size = Int32(receiveBytes)
      setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }
    var on: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else {
      let reason = errno
      Glibc.close(descriptor)
      descriptor = -1
      throw ClientFault("connect: errno \(reason)")
    }
  }

  /// A client on a socket that is connected.
  init(connected descriptor: Int32) { self.descriptor = descriptor }

  deinit { close() }

  func close() {
    if descriptor >= 0 { Glibc.close(descriptor) }
    descriptor = -1
  }

  /// Ends with RST, as a connection that is lost.
  func reset() {
    var lingering = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &lingering, socklen_t(MemoryLayout<linger>.size))
    close()
  }

  func shutdownWriting() { Glibc.shutdown(descriptor, Int32(SHUT_WR)) }

  // MARK: Sending

  /// Sends everything; a server that is gone already is no fault here: what it said last is what counts.
  func send(_ bytes: [UInt8]) {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      sent += count
    }
  }

  /// Sends as much as the socket takes at once.
  func sendWithoutWaiting(_ bytes: [UInt8]) {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
      }
      guard count > 0 else { return }
      sent += count
    }
  }

  /// Bytes that its peer's kernel has not taken.
  var unsentBytes: Int {
    var bytes: Int32 = 0
    return ioctl(descriptor, UInt(TIOCOUTQ), &bytes) == 0 ? Int(bytes) : 0
  }

  // MARK: Receiving

  /// The next message; nil when the server has ended the stream.
  func next(within seconds: Double = patienceSeconds, for purpose: String = "a message") throws -> ServerMessage? {
    try next(before: monotonicSeconds() + seconds, for: purpose)
  }

  /// The same, until a moment: for loops, whose every turn would otherwise have patience of its own.
  func next(before deadline: Double, for purpose: String) throws -> ServerMessage? {
    while waiting.isEmpty {
      guard !hasEnded else { return nil }
      guard try receive(until: deadline) else { throw ClientFault("no \(purpose) in time; seen \(seen.suffix(20))") }
    }
    guard monotonicSeconds() < deadline else { throw ClientFault("no \(purpose) in time; seen \(seen.suffix(20))") }
    return waiting.removeFirst()
  }

  /// Takes in what arrives until the deadline, or only what is there already.
  func follow(for seconds: Double) throws {
    let deadline = monotonicSeconds() + seconds
    // The first read takes in what is there, also when the time is over.
    while !hasEnded, try receive(until: deadline), monotonicSeconds() < deadline {}
    waiting.removeAll()
  }

  /// Reads once; false when nothing came until the deadline.
  private func receive(until deadline: Double) throws -> Bool {
    var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    let milliseconds = max(0, (deadline - monotonicSeconds()) * 1000)
    guard Glibc.poll(&poll, 1, Int32(milliseconds.rounded(.up))) > 0 else { return false }
    var chunk = [UInt8](repeating: 0, count: 65536)
    let count = recv(descriptor, &chunk, chunk.count, 0)
    guard count > 0 else {
      hasEnded = true
      return true
    }
    var fault: (any Error)?
    _ = try assembler.feed(chunk.span.extracting(first: count)) { type, body in
      do {
        guard let type = MessageType(rawValue: type) else { throw ClientFault("unknown message type \(type)") }
        let message = ServerMessage(type: type, body: body.array(0..<body.count))
        try note(message)
        waiting.append(message)
        return .proceed
      } catch {
        fault = error
        return .stop
      }
    }
    if let fault { throw fault }
    return true
  }

  /// Follows the conversation.
  private func note(_ message: ServerMessage) throws {
    seen.append(message.type)
    switch message.type {
    case .welcome: welcome = try Welcome(message.body.span)
    case .joined:
      let joined = try Joined(message.body.span)
      self.joined = joined
      if let schema = try joined.schema.map({ try Schema(decoding: $0.span) }) { knownSchema = schema }
      if !joined.isResumed, let knownSchema { mirror = RoomMirror(knownSchema, lastEvent: joined.lastEvent) }
    case .inputAck:
      let ack = try InputAck(message.body.span)
      (lastAcknowledged, inputsDropped) = (ack.sequence, ack.dropped)
    case .frame: try mirror?.apply(frame: message.body)
    case .events: try mirror?.apply(missedEvents: message.body)
    case .ping where answersPings:
      send(
        encodedBytes(bound: 32) { [token = try Ping.token(message.body.span)] in
          Pong(token: token, timeMicroseconds: 0).encode(into: &$0)
        })
    default: break
    }
  }
}

func monotonicSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Gives the server a moment; nothing may depend on how long it really is.
func pause(milliseconds: UInt32) { usleep(milliseconds * 1000) }
