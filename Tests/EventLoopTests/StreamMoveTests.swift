import EventLoop
import Testing

/// Checks a stream of known bytes, and moves it to the other loop again and again while they arrive.
private final class MovingReader: StreamDelegate {
  static let totalBytes = 8_000_000

  struct Transit: Sendable {
    var descriptor: SocketDescriptor
    var receivedBytes: Int
    var moves: Int
    /// Read on the old loop, not yet looked at.
    var unread: [UInt8]
  }

  struct Outcome: Sendable {
    var receivedBytes = 0
    var moves = 0
    var isIntact = true
    var isOver = false
  }

  private var transit: Transit
  private let outcome: Shared<Outcome>
  private let moveOn: (Transit) -> Void

  init(_ transit: Transit, outcome: Shared<Outcome>, moveOn: @escaping (Transit) -> Void) {
    self.transit = transit
    self.outcome = outcome
    self.moveOn = moveOn
    let unread = transit.unread
    self.transit.unread = []
    unread.withUnsafeBytes(check)
  }

  static func byte(at index: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: (UInt64(index) &* 0x9e37_79b9_7f4a_7c15) >> 56)
  }

  private func check(_ bytes: UnsafeRawBufferPointer) {
    for byte in bytes {
      if byte != MovingReader.byte(at: transit.receivedBytes) { outcome.value.withLock { $0.isIntact = false } }
      transit.receivedBytes += 1
    }
  }

  func stream(_ stream: Stream, didRead bytes: UnsafeRawBufferPointer) {
    // The second half travels unread.
    check(UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 2)]))
    transit.unread = Array(bytes[(bytes.count / 2)...])
    do {
      transit.descriptor = try stream.detachDescriptor()
    } catch {
      Issue.record("\(error)")
    }
    transit.moves += 1
    moveOn(transit)
  }

  func streamDidEnd(_ stream: Stream, _ end: StreamEnd) {
    outcome.value.withLock { outcome in
      outcome.receivedBytes = transit.receivedBytes
      outcome.moves = transit.moves
      outcome.isOver = true
    }
    stream.close()
  }

  func stream(_ stream: Stream, didCompleteWrite error: LoopError?) {}
}

/// The mailboxes of both loops, once both exist.
private final class Route: Sendable {
  let mailboxes = Locked<[Mailbox<MovingReader.Transit>]>([])

  func post(_ transit: MovingReader.Transit, to index: Int) {
    let mailbox = mailboxes.withLock { $0[index] }
    if !mailbox.post(transit) { transit.descriptor.close() }
  }
}

extension EventLoopTests {
  @Suite struct StreamMoveTests {
    @Test("A connection moves between two loops hundreds of times under its peer's fire; no byte is lost or doubled")
    func moveUnderFire() throws {
      let before = openDescriptors()
      let outcome = Shared(MovingReader.Outcome())
      let route = Route()
      var threads: [LoopThread] = []
      for index in 0..<2 {
        let started = try LoopThread.start(name: "move-\(index)") { loop in
          try Mailbox<MovingReader.Transit>(loop: loop) { [unowned loop] transit in
            do {
              let stream = try Stream(adopting: transit.descriptor, loop: loop)
              stream.delegate = MovingReader(transit, outcome: outcome) { route.post($0, to: 1 - index) }
              stream.startReading()
            } catch {
              Issue.record("\(error)")
            }
          }
        }
        route.mailboxes.withLock { $0.append(started.value) }
        threads.append(started.thread)
      }
      try withLoop(alone: false) { loop in
        try loop.connectPair { client, server in
          route.post(
            .init(descriptor: try server.detachDescriptor(), receivedBytes: 0, moves: 0, unread: []), to: 0)
          let pump = Pump((0..<MovingReader.totalBytes).map(MovingReader.byte), seed: 11)
          pump.onFinished = { client.closeAfterFlush() }
          let probe = Probe(client)
          probe.onWrite = { stream, error in
            do { try pump.completed(on: stream) } catch { loop.failAndStop("\(error)") }
          }
          probe.onClose = { pump.onFinished = nil }
          try pump.pump(into: client)
          let poll = try Timer(loop: loop) {
            if outcome.value.withLock({ $0.isOver }) { loop.stop() }
          }
          poll.start(everyMilliseconds: 5)
        }
      }
      threads.forEach { $0.stop() }
      threads.forEach { $0.join() }
      let result = outcome.value.withLock { $0 }
      #expect(result.isIntact)
      #expect(result.receivedBytes == MovingReader.totalBytes)
      #expect(result.moves > 50)
      #expect(openDescriptors() == before)
    }

    @Test("Adopting on a stopped loop closes the descriptor instead of leaking it")
    func adoptOnStoppedLoop() throws {
      try withLoop { loop in
        try loop.connectPair { client, server in
          let descriptor = try server.detachDescriptor()
          loop.stop()
          #expect(throws: LoopError.self) { try Stream(adopting: descriptor, loop: loop) }
        }
      }
    }
  }
}
