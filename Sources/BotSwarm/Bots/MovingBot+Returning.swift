import ClientCore
import EventLoop
import WireFormat

/// A bot whose connection was lost while it was in its room, and that goes back to its seat as a player's client does.
struct Absence {
  /// When it was lost.
  let since: UInt64
  /// When to connect next.
  var retryAt: UInt64
  /// When the attempt under way began.
  var attemptBegan: UInt64 = 0

  /// As players' clients: then an attempt is given up and another one made.
  static let attemptMicroseconds: UInt64 = 10_000_000
}

extension MovingBot {
  /// What to do about a connection that is lost.
  ///
  /// - Returns: false when the bot does not come back.
  func goAway(_ reason: String, at now: UInt64) -> Bool {
    guard surroundings.plan.returns, !isFaulty, state == .joined || state == .away, !isClosing else { return false }
    switch core.connectionEnded(jitter: surroundings.random.unit(), self) {
    case .resume(let delay):
      if state == .joined { depart(reason, at: now) }
      absence?.retryAt = now + delay * 1_000
      connection.close()
      return true
    case .fresh:
      measures.totals.sessionsLost += 1
      return false
    case .over: return false
    }
  }

  private func depart(_ reason: String, at now: UInt64) {
    absence = Absence(since: now, retryAt: now)
    measures.totals.lostConnections[reason, default: 0] += 1
    doubtWhatIsOnItsWay()
    didDepart()
  }

  /// A turn of a bot that is away.
  func comeBack(now: UInt64) {
    guard let absence else { return }
    if connection.isIdle {
      if now >= absence.retryAt { reconnect(now: now) }
    } else if connection.stream == nil {
      if now > absence.attemptBegan + Absence.attemptMicroseconds { connection.close() }
    } else if !core.tick(now: now) {
      lose()
    }
  }

  private func reconnect(now: UInt64) {
    absence?.attemptBegan = now
    measures.totals.reconnects += 1
    let plan = surroundings.plan
    connection.connect(
      on: surroundings.loop, to: plan.host, port: plan.port, from: LocalAddress.address(ofBot: index, plan)
    ) { [weak self] error in
      self?.didReconnect(error)
    }
  }

  private func didReconnect(_ error: LoopError?) {
    guard let stream = connection.stream, error == nil, !isClosing else {
      connection.stream?.close()
      return isClosing ? end() : fail(error.map { "\($0)" } ?? "cancelled")
    }
    didOpen(stream)
    assembler = MessageAssembler(limit: WireLimits.serverMessageBytes)
    do throws(ClientMisuse) { try core.connect(now: LoopMeasures.now()) } catch { return fail("\(error)") }
    if !connection.flush(core) { fail("writeFailed") }
  }

  /// Back in its seat.
  func returned() {
    guard let absence else { return }
    self.absence = nil
    measures.totals.resumes += 1
    measures.totals.longestAwayMicroseconds = max(measures.totals.longestAwayMicroseconds, now - absence.since)
    // What was missed is owed since then, and a keyframe in its place is no skip.
    waitsSince = waitsSince ?? absence.since
    hasSeenKeyframe = false
    didReturn()
  }
}
