import EventLoop
import Glibc

/// One client: a stream and the dialect spoken on it. Confined to its loop.
final class Member {
  enum Role {
    /// Reads all the time.
    case healthy
    /// Stops reading for a while, as a phone does that changes its network.
    case pausing
    /// Stops reading for good, and stays.
    case stalling
  }

  private enum State {
    case connecting
    case open(EventLoop.Stream)
    case ended
  }

  let index: Int
  let role: Role
  /// Updates heard since it was last asked.
  private var updates = 0
  private(set) var publications = 0
  private var number: UInt32 = 0
  private let dialect: any Dialect
  private let measures: Measures
  private var state = State.connecting
  private var pending: [UInt8] = []
  /// Bytes of the write in flight, which must not move.
  private var inFlight: UnsafeMutableRawBufferPointer?
  private var now: UInt64 = 0

  init(index: Int, role: Role, dialect: any Dialect, measures: Measures) {
    self.index = index
    self.role = role
    self.dialect = dialect
    self.measures = measures
  }

  deinit { inFlight?.deallocate() }

  var isOpen: Bool { if case .open = state { true } else { false } }
  var hasEnded: Bool { if case .ended = state { true } else { false } }
  var isReady: Bool { isOpen && dialect.isReady }

  func connect(on loop: Loop, port: UInt16, receiveBufferBytes: Int) {
    EventLoop.Stream.connect(
      loop: loop, host: "127.0.0.1", port: port, receiveBufferBytes: receiveBufferBytes
    ) { [self] result in
      guard case .success(let stream) = result, case .connecting = state else {
        if case .success(let stream) = result { stream.close() }
        return state = .ended
      }
      state = .open(stream)
      stream.delegate = self
      stream.startReading()
      send(dialect.greeting(now: Measures.now()))
    }
  }

  func sendUpdate() {
    guard isReady else { return }
    guard inFlight == nil else { return measures.heldBack += 1 }
    let now = Measures.now()
    number += 1
    let bytes = dialect.update(number, now: now)
    measures.didSend(number, of: index, now: now)
    send(bytes)
  }

  func publish(bytes: Int) {
    guard isReady, inFlight == nil else { return }
    send(dialect.publication(bytes: bytes, now: Measures.now()))
  }

  func takeUpdates() -> Int {
    defer { updates = 0 }
    return updates
  }

  func stopReading() { if case .open(let stream) = state { stream.stopReading() } }

  func resumeReading() { if case .open(let stream) = state { stream.startReading() } }

  /// Ends its own direction, reads nothing, and keeps its socket.
  func halfClose() {
    guard case .open(let stream) = state, let descriptor = stream.descriptor else { return }
    stream.stopReading()
    shutdown(descriptor, Int32(SHUT_WR))
  }

  /// Vanishes: with bytes unread, the kernel sends RST.
  func close() {
    if case .open(let stream) = state { stream.close() }
    state = .ended
  }

  // MARK: Writing

  private func send(_ bytes: [UInt8]) {
    pending += bytes
    flush()
  }

  private func flush() {
    guard case .open(let stream) = state, inFlight == nil, !pending.isEmpty else { return }
    switch pending.withUnsafeBytes({ stream.tryWrite($0) }) {
    case .wrote(let count): pending.removeFirst(count)
    case .wouldBlock: break
    case .failed: return close()
    }
    guard !pending.isEmpty else { return }
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: pending.count, alignment: 1)
    bytes.copyBytes(from: pending)
    pending.removeAll()
    inFlight = bytes
    if (try? stream.write(UnsafeRawBufferPointer(bytes))) == nil { close() }
  }
}

extension Member: StreamDelegate {
  func stream(_ stream: EventLoop.Stream, didRead bytes: UnsafeRawBufferPointer) {
    now = Measures.now()
    if role == .healthy { measures.bytes += bytes.count }
    guard let answer = dialect.receive(bytes, now: now, self) else { return close() }
    send(answer)
  }

  func stream(_ stream: EventLoop.Stream, didCompleteWrite error: LoopError?) {
    inFlight?.deallocate()
    inFlight = nil
    if error == nil { flush() } else { close() }
  }

  func streamDidEnd(_ stream: EventLoop.Stream, _ end: StreamEnd) { close() }
}

extension Member: Ear {
  func heardMessage() { if role == .healthy { measures.messages += 1 } }

  func heardUpdate(_ number: UInt32, of sender: Int) {
    if role == .healthy, measures.heard(number, of: sender, now: now) { updates += 1 }
  }

  func heardPublication() { publications += 1 }
}
