import ClientCore
import EventLoop

/// The stream of a client, made anew after every loss: performs what the core says, and nothing else.
// @unchecked Sendable: `state` has its lock; every other member is touched on the loop's thread only, where posts carry
// it.
final class Connection: @unchecked Sendable {
  /// How often the core looks at the clock: pings and silence need no better.
  private static let tickMilliseconds: UInt64 = 250
  /// Time for a look-up and a connect before they are given up.
  private static let connectMicroseconds: UInt64 = 10_000_000
  /// Time for a last Leave to go out before the stream is closed.
  private static let lingerMilliseconds: UInt64 = 1_000

  let state: ClientState
  private let host: String
  private let port: UInt16
  /// See ``TickClient/Options/inputGathering``.
  private let gatheringMilliseconds: UInt64?
  private var loop: Loop?
  private var stream: EventLoop.Stream?
  private var attempt: ConnectAttempt?
  private var attemptBegan: UInt64 = 0
  /// From the beginning of an attempt to the loss of what came of it: a loss counts once, however many calls report it.
  private var isUp = false
  private var ticks: Timer?
  private var retry: Timer?
  /// Runs while inputs wait for others.
  private var gathering: Timer?
  private var isGathering = false
  /// When something was last sent, in microseconds.
  private var lastSend: UInt64 = 0
  /// The write in flight, if any; freed when it is over.
  private var inFlight: UnsafeMutableRawBufferPointer?

  init(_ state: ClientState, host: String, port: UInt16, gatheringMilliseconds: UInt64?) {
    self.state = state
    self.host = host
    self.port = port
    self.gatheringMilliseconds = gatheringMilliseconds
  }

  /// On the loop's thread: begins the first attempt.
  func start(_ loop: Loop) {
    self.loop = loop
    isUp = true
    do {
      ticks = try Timer(loop: loop) { [self] in tick() }
      retry = try Timer(loop: loop) { [self] in open() }
      gathering = try Timer(loop: loop) { [self] in flush() }
    } catch {
      return lost("\(error)")
    }
    ticks?.start(everyMilliseconds: Self.tickMilliseconds)
    open()
  }

  /// On the loop's thread: an input waits in the core, and is sent at once or with those that follow.
  func gather() {
    guard let gatheringMilliseconds, let gathering else { return flush() }
    guard !isGathering else { return }
    let due = lastSend + gatheringMilliseconds * 1_000
    let now = SharedLoop.now()
    guard now < due else { return flush() }
    isGathering = true
    gathering.start(afterMilliseconds: (due - now + 999) / 1_000)
  }

  /// On the loop's thread: sends what waits in the core.
  func flush() {
    if isGathering {
      isGathering = false
      gathering?.stop()
    }
    guard let stream, inFlight == nil else { return }
    let now = SharedLoop.now()
    let bytes = state.locked { state in
      state.core.inputsLeft(now: now)
      return state.core.takeOutput()
    }
    guard !bytes.isEmpty else { return }
    lastSend = now
    let taken: Int
    switch bytes.withUnsafeBytes({ stream.tryWrite($0) }) {
    case .wrote(let count): taken = count
    case .wouldBlock: taken = 0
    case .failed(let error): return lost("\(error)")
    }
    guard taken < bytes.count else { return }
    let rest = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count - taken, alignment: 1)
    rest.copyBytes(from: bytes[taken...])
    do throws(LoopError) {
      try stream.write(UnsafeRawBufferPointer(rest))
      inFlight = rest
    } catch {
      rest.deallocate()
      lost("\(error)")
    }
  }

  /// On the loop's thread: sends the last words, then lets everything go.
  func finish() {
    flush()
    ticks?.close()
    retry?.close()
    gathering?.close()
    attempt?.cancel()
    guard let stream, let loop else { return stop() }
    stream.closeAfterFlush()
    // A server that does not close its side would keep the stream for ever.
    let linger = try? Timer(loop: loop) { [self] in stop() }
    guard let linger else { return stop() }
    retry = linger
    linger.start(afterMilliseconds: Self.lingerMilliseconds)
  }

  private func stop() {
    ticks?.close()
    retry?.close()
    gathering?.close()
    attempt?.cancel()
    stream?.close()
    (stream, attempt, ticks, retry, gathering) = (nil, nil, nil, nil, nil)
  }

  // MARK: Attempts

  private func open() {
    guard let loop else { return }
    isUp = true
    attemptBegan = SharedLoop.now()
    attempt = EventLoop.Stream.connect(loop: loop, host: host, port: port) { [self] result in
      attempt = nil
      switch result {
      case .success(let stream): opened(stream)
      case .failure(let error): lost("\(error)")
      }
    }
  }

  private func opened(_ new: EventLoop.Stream) {
    let isWanted = state.locked { (try? $0.core.connect(now: SharedLoop.now())) != nil }
    // Closed while it connected.
    guard isWanted else {
      new.close()
      return stop()
    }
    stream = new
    new.delegate = self
    new.startReading()
    flush()
  }

  private func tick() {
    let now = SharedLoop.now()
    if let attempt {
      if now - attemptBegan > Self.connectMicroseconds { attempt.cancel() }
      return
    }
    guard stream != nil else { return }
    let isAlive = state.locked { $0.core.tellOverdue(now: now, $0) && $0.core.tick(now: now) }
    guard isAlive else { return lost(nil) }
    if !isGathering { flush() }
  }

  private func lost(_ failure: String?) {
    guard isUp else { return }
    isUp = false
    stream?.close()
    stream = nil
    let jitter = Double.random(in: 0...1)
    switch state.locked({ $0.connectionEnded(jitter: jitter, failure: failure) }) {
    case .resume(let delay), .fresh(let delay): retry?.start(afterMilliseconds: delay)
    case .over: stop()
    }
  }
}

extension Connection: StreamDelegate {
  func stream(_ stream: EventLoop.Stream, didRead bytes: UnsafeRawBufferPointer) {
    guard stream === self.stream else { return }
    let now = SharedLoop.now()
    let (isAlive, hasAnswer) = state.locked { state in
      let before = state.core.outputBytes
      // The loop's buffer holds plain bytes for the length of this call.
      let isAlive = bytes.withMemoryRebound(to: UInt8.self) { state.core.receive($0.span, now: now, state) }
      return (isAlive, state.core.outputBytes != before)
    }
    // Inputs that wait for others go on waiting.
    if hasAnswer || !isGathering { flush() }
    if !isAlive { lost(nil) }
  }

  func streamDidEnd(_ stream: EventLoop.Stream, _ end: StreamEnd) {
    guard stream === self.stream else { return }
    lost("the connection ended: \(end)")
  }

  func stream(_ stream: EventLoop.Stream, didCompleteWrite error: LoopError?) {
    inFlight?.deallocate()
    inFlight = nil
    guard stream === self.stream else { return }
    if let error { lost("\(error)") } else { flush() }
  }
}
