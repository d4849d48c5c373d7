@testable import BotSwarm
import EventLoop

/// Answers each `GET` with the next of the texts, the last one for ever: a server's admin port as far as a census knows
/// it.
final class LedgerServer {
  private let thread: LoopThread
  let endpoint: Endpoint

  init(_ bodies: [String], status: String = "200 OK") throws {
    let started = try LoopThread.start(name: "ledger") { loop in
      var asked = 0
      let listener = try Listener(
        loop: loop, host: "127.0.0.1", port: 0,
        onAccept: { stream in
          let body = bodies[min(asked, bodies.count - 1)]
          asked += 1
          let head =
            "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
          stream.delegate = LedgerAnswer(Array((head + body).utf8))
          stream.startReading()
        }, onError: { _ in })
      return listener.port
    }
    thread = started.thread
    endpoint = Endpoint(host: "127.0.0.1", port: started.value)
  }

  func stop() {
    thread.stop()
    thread.join()
  }

  static func ledger(open: Int = 0, seats: Int = 0, leased: Int = 0, pinned: Int = 0, balanced: Bool = true) -> String {
    """
    {"uptimeSeconds": 1.5, "version": "0.1.0", "balanced": \(balanced), "faults": [],
     "process": {"rssBytes": 20000000, "openDescriptors": 12, "memoryLimitBytes": null, "planBytes": 1,
                 "pressure": "normal"},
     "total": {"accepted": 9, "movedHere": 0, "movedAway": 0, "open": \(open), "closing": 0,
               "closed": {"peerClosed": 9}, "seats": \(seats), "rooms": 0, "roomsOpened": 1, "roomsClosed": 1,
               "pool": {"leasedBuffers": \(leased), "leasedBytes": 0, "idleBytes": 0, "highWaterBytes": 0},
               "pinnedBytes": \(pinned), "skips": 0, "resumes": 0, "evictions": 0, "ticks": 9, "missedTicks": 0},
     "loops": []}
    """
  }
}

/// Says its bytes once the request is whole, in two parts: an answer need not come at once.
private final class LedgerAnswer: StreamDelegate {
  private let bytes: UnsafeMutableRawBufferPointer
  private var request: [UInt8] = []
  private var sent = 0

  init(_ answer: [UInt8]) {
    bytes = .allocate(byteCount: answer.count, alignment: 1)
    bytes.copyBytes(from: answer)
  }

  deinit { bytes.deallocate() }

  func stream(_ stream: EventLoop.Stream, didRead bytes: UnsafeRawBufferPointer) {
    request.append(contentsOf: bytes)
    guard sent == 0, request.suffix(4).elementsEqual("\r\n\r\n".utf8) else { return }
    sent = self.bytes.count / 2
    try? stream.write(UnsafeRawBufferPointer(rebasing: self.bytes[..<sent]))
  }

  func stream(_ stream: EventLoop.Stream, didCompleteWrite error: LoopError?) {
    guard error == nil, sent < bytes.count else { return }
    let rest = bytes[sent...]
    sent = bytes.count
    try? stream.write(UnsafeRawBufferPointer(rebasing: rest))
  }

  func streamDidEnd(_ stream: EventLoop.Stream, _ end: StreamEnd) { stream.close() }
}
