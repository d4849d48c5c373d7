import WireFormat

/// The life of connections: the next Hello, the watch over silence, and what comes after the end.
extension ClientCore {
  /// A stream to the server is there: writes the Hello. With a seat to go back to it resumes, else it begins a session.
  package func connect(now: UInt64) throws(ClientMisuse) {
    guard phase == .idle || phase == .lost else { throw .phase(phase.name) }
    assembler = MessageAssembler(limit: WireLimits.serverMessageBytes)
    discardOutput()
    held = HeldFrame()
    // What was sent and not acknowledged before a cut may never be.
    inputTimes = InputTimes(after: sentInput)
    times = ConnectionTimes(helloSent: now, lastReceived: now, lastPing: now)
    var credential = configuration.credential
    if let point = resumePoint {
      credential = .resume(point)
    } else {
      forgetSeat()
    }
    let hello = Hello(credential: credential)
    try write(bound: hello.bound + messageOverhead) { hello.encode(into: &$0) }
    if case .resume = credential { phase = .resuming } else { phase = .greeting }
  }

  /// Time has passed: sends a ping if one is due. Call it some times a second.
  ///
  /// - Returns: false when the server was silent for too long: close the stream, then ask
  ///   ``connectionEnded(jitter:_:)``.
  package func tick(now: UInt64) -> Bool {
    switch phase {
    case .idle, .lost, .ended: return true
    case .finished: return false
    case .greeting, .resuming, .resumed, .welcomed, .joining, .inRoom, .leaving: break
    }
    if now > times.lastReceived, now - times.lastReceived >= configuration.silenceMicroseconds {
      phase = .finished(.silent)
      return false
    }
    let isWelcomed = phase != .greeting && phase != .resuming
    if isWelcomed, now > times.lastPing, now - times.lastPing >= configuration.pingMicroseconds { ping(now: now) }
    return true
  }

  /// Sends a ping now; ``clock`` has a sample more when it is answered.
  package func ping(now: UInt64) {
    let token = max(now, times.lastToken &+ 1)
    // A full output means that the server reads nothing: silence will end that.
    guard (try? write(bound: 10 + messageOverhead, { Ping.encode(token: token, into: &$0) })) != nil else { return }
    if times.openPings.count == ClockSync.window { times.openPings.removeFirst() }
    times.openPings.append(token)
    markRaised(token: token)
    times.lastToken = token
    times.lastPing = now
  }

  /// The stream is gone, for whatever reason, or could not be made: what to do next.
  ///
  /// - Parameter jitter: a random number from 0 to 1.
  package func connectionEnded(jitter: Double, _ delegate: any ClientCoreDelegate) -> Outlook {
    let loss: ConnectionLoss
    switch phase {
    case .ended(let end): return .over(end)
    case .finished(let known): loss = known
    default: loss = .disconnected
    }
    // What was received before the end counts; what is wrong with it would have been the end as well.
    try? tellHeld(delegate)
    // Whoever was leaving has left.
    if seat?.isLeaving == true { forgetSeat() }
    phase = .lost
    discardOutput()
    loseCalls(delegate)
    tellLosses(delegate)
    scratch?.clear()
    return outlook(after: loss, jitter: jitter, delegate)
  }

  /// Gives up the seat of a lost connection: the next Hello begins a session.
  package func abandonSeat() {
    if phase == .lost { forgetSeat() } else { seat?.isLeaving = true }
  }

  /// The client wants no more. What is in the output (a Leave) may still be sent.
  package func close() {
    phase = .ended(.closed)
  }

  private func outlook(
    after loss: ConnectionLoss, jitter: Double, _ delegate: any ClientCoreDelegate
  ) -> Outlook {
    var retry = CloseReason.Retry.resume
    var retryAfter: UInt32?
    switch loss {
    case .disconnected, .silent: break
    case .goodbye(let goodbye):
      retry = CloseReason.retry(ofCode: goodbye.code)
      retryAfter = goodbye.retryAfterMilliseconds
      if retry == .never { return end(.goodbye(goodbye)) }
    case .fault(let fault):
      if !fault.isGap { return end(.fault(fault)) }
    }
    guard attempt < configuration.retry.attempts else { return end(.unreachable(attempts: attempt)) }
    let delay = configuration.retry.delayMilliseconds(
      attempt: attempt, retryAfterMilliseconds: retryAfter, jitter: jitter)
    attempt += 1
    if retry == .resume, resumePoint != nil { return .resume(afterMilliseconds: delay) }
    tellUnacknowledged(delegate)
    forgetSeat()
    return .fresh(afterMilliseconds: delay)
  }

  private func end(_ end: ClientEnd) -> Outlook {
    phase = .ended(end)
    return .over(end)
  }

  func forgetSeat() {
    seat = nil
    scratch = nil
    wish = nil
    held = HeldFrame()
    inputTimes = InputTimes(after: sentInput)
  }

  func loseCalls(_ delegate: any ClientCoreDelegate) {
    let lost = openCalls
    openCalls.removeAll(keepingCapacity: true)
    for id in lost { delegate.client(self, didLoseCall: id) }
  }
}
