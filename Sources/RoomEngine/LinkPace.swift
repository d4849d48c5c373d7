import WireFormat

/// How much may be on its way to one member: so little that what arrives is fresh, so much that its link is never idle.
///
/// A kernel says what it took, not what has arrived, and a client's kernel takes bytes that its program has not read.
/// So the server sends pings as probes right behind its bytes. Clients answer them in order, when they read them: an
/// answer confirms all bytes before its ping.
///
/// | state | what it means | what may be begun | leaves it by |
/// | --- | --- | --- | --- |
/// | unproven | just seated; its first probe is out | up to ``firstWindowBytes`` unconfirmed | the answer |
/// | fast | gets every frame at once; a probe every ``probeNanoseconds`` | everything | a late answer, a blocked socket |
/// | thin | its link takes less than the room makes | while less than the window is unconfirmed | quick answers for a while |
///
/// The window is the delivery rate times the shortest round trip: on a link with a short way the next write begins when
/// the last one has been read, on one with a long way the pipe stays full.
///
/// A client that answers no pings is believed by what its kernel acknowledges.
package struct LinkPace: Sendable {
  package enum State: Sendable { case unproven, fast, thin }

  /// Whether a write may begin.
  enum Opening { case open, closed, probeOnly }

  /// What of a write holds a probe.
  enum Carrier {
    /// The probe is its first message.
    case lead
    /// The probe is its last message.
    case trail
  }

  private struct Probe {
    let token: UInt64
    /// Bytes begun up to it.
    let mark: UInt64
    let sentAt: Instant
    /// Nothing was unconfirmed when it was sent: its answer tells the round trip alone.
    let isAlone: Bool
  }

  /// Unconfirmed bytes until the first answer, and while no rate is known.
  static let firstWindowBytes: UInt64 = 4 * 1024
  /// Probes of one member that may be unanswered.
  static let mostProbes = 16
  private static let millisecond: UInt64 = 1_000_000
  /// Between two probes of a fast member; up to half a second more, so that members do not probe at once. Less right after
  /// it became fast: so much is on its way at most that one more round trip tells.
  static let probeNanoseconds = 1_500 * millisecond
  private static let firstProbeNanoseconds = 200 * millisecond
  /// Who was thin is probed often for so long.
  private static let probationNanoseconds = 60_000 * millisecond
  /// A fast member is not probed for less than this.
  static let leastProbedBytes: UInt64 = 4096
  /// Between two probes in front of writes: where writes block at once, the next one goes without.
  private static let leadNanoseconds = 20 * millisecond
  /// Between two probes of a thin member.
  private static let thinProbeNanoseconds = 30 * millisecond
  /// An answer is quick when it took no more than this beyond the shortest round trip.
  private static let quickNanoseconds = 100 * millisecond
  /// A fast member whose answer takes longer than this beyond the shortest round trip is thin.
  private static let lateNanoseconds = 150 * millisecond
  /// Quick answers for so long make a thin member fast; twice as long after each relapse.
  private static let leastPatience = 2_000 * millisecond
  private static let mostPatience = 16_000 * millisecond
  private static let relapseNanoseconds = 10_000 * millisecond
  /// The shortest round trip is looked for anew after so long.
  private static let roundTripNanoseconds = 10_000 * millisecond
  /// Without any answer for so long, what the kernel says counts.
  private static let firstAnswerNanoseconds = 1_000 * millisecond
  /// Answers that come closer together than this say no more than that the link is fast.
  private static let leastIntervalNanoseconds = 5 * millisecond

  package private(set) var state = State.unproven
  /// Bytes of all writes begun, whether taken by the kernel or still in flight. While the member is fast they are not
  /// counted; bytes of the room's frames are the measure then.
  private var begun: UInt64 = 0
  private var confirmed: UInt64 = 0
  /// `begun` is to be set from the room's frames.
  private(set) var needsBase = false
  private var probes: [Probe] = []
  private var lastToken: UInt64 = 0
  /// Pings that were sent and have no answer, those included that nobody waits for any more.
  private var owedAnswers = 0
  private var leadToken: UInt64?
  private var trailToken: UInt64?
  /// Where the frames were when a fast member's probe was queued.
  private var trailMark: UInt64 = 0
  private var lastProbe: Instant
  /// See ``probeNanoseconds``; doubles up to that.
  private var probeInterval = LinkPace.firstProbeNanoseconds
  private var lastAlone: Instant
  private var lastLead: Instant?
  private var lastConfirmation: (at: Instant, mark: UInt64)?
  /// When the oldest probe was sent that has no answer, whatever the kernel has said meanwhile.
  private(set) var unansweredSince: Instant?
  /// Nil until known.
  private var answers: Bool?
  /// Delivered bytes a second; nil until two answers told.
  private(set) var bytesPerSecond: UInt64?
  private var roundTrip = WindowedLeast()
  /// Since when all answers were quick and nothing had to wait.
  private var steadySince: Instant?
  private var patience = LinkPace.leastPatience
  private var becameFast: Instant
  /// When it was last thin; nil if it never was.
  private var thinUntil: Instant?

  init(now: Instant) {
    (lastProbe, lastAlone, becameFast) = (now, now, now)
  }

  /// A seat begins: nothing is known of what its room sends. What is known of the link stays.
  mutating func begin(now: Instant) {
    state = .unproven
    (begun, confirmed, needsBase) = (0, 0, false)
    probes.removeAll(keepingCapacity: true)
    (leadToken, trailToken, lastConfirmation, unansweredSince, steadySince) = (nil, nil, nil, nil, nil)
    (lastProbe, lastAlone) = (now, now)
  }

  var unconfirmed: UInt64 { begun - min(begun, confirmed) }

  /// Whether all that the member gets goes through at once, as far as is known.
  var isSteady: Bool { state != .thin || steadySince != nil }

  /// Whether a member that may be behind is to wait.
  mutating func opening(now: Instant) -> Opening {
    guard unconfirmed > 0 else { return .open }
    // On a full pipe no answer tells the round trip alone: it is let run empty from time to time.
    let drains = state == .thin && now.nanoseconds(since: lastAlone) > Self.roundTripNanoseconds
    if unconfirmed < window, !drains { return .open }
    steadySince = nil
    // One that waits behind frames does not count: they wait for its answer.
    return probes.isEmpty && leadToken == nil && answers != false ? .probeOnly : .closed
  }

  private var window: UInt64 {
    guard state == .thin, answers != false, let bytesPerSecond, let least = roundTrip.least else {
      return Self.firstWindowBytes
    }
    return bytesPerSecond * (least / 1000) / 1_000_000
  }

  /// How long these bytes take; nil while no rate is known.
  func nanoseconds(for bytes: UInt64) -> UInt64? {
    bytesPerSecond.map { min(bytes, 1 << 30) * 1_000_000_000 / max(1, $0) }
  }

  // MARK: Probes

  /// The token of a probe that goes in front of a write, when one is of use there.
  mutating func takeLead(isNeeded: Bool, now: Instant) -> UInt64? {
    guard state != .fast, answers != false, leadToken == nil else { return nil }
    let isSoon = lastLead.map { now.nanoseconds(since: $0) < Self.leadNanoseconds } ?? false
    guard isNeeded || (unconfirmed == 0 && !isSoon) else { return nil }
    lastToken += 1
    leadToken = lastToken
    return lastToken
  }

  /// The token of a probe that goes behind a write, when one is due.
  mutating func takeTrail(now: Instant) -> UInt64? {
    guard state != .fast, answers != false, trailToken == nil, probes.count < Self.mostProbes else { return nil }
    if state == .unproven, !probes.isEmpty { return nil }
    if let last = probes.last, now.nanoseconds(since: last.sentAt) < Self.thinProbeNanoseconds { return nil }
    return queueTrail(mark: 0)
  }

  /// The token of a fast member's next probe, when one is due.
  ///
  /// - Parameters:
  ///   - frameBytes: of all frames of the room so far.
  ///   - stagger: any number, different for each member.
  mutating func takeFastProbe(frameBytes: UInt64, stagger: Int, now: Instant) -> UInt64? {
    guard state == .fast, answers != false, trailToken == nil, probes.isEmpty,
      frameBytes >= confirmed + Self.leastProbedBytes,
      now.nanoseconds(since: lastProbe) >= probeInterval
    else { return nil }
    let isOnProbation = thinUntil.map { now.nanoseconds(since: $0) < Self.probationNanoseconds } ?? false
    if !isOnProbation {
      probeInterval = min(2 * probeInterval, Self.probeNanoseconds + UInt64(stagger & 15) * 32 * Self.millisecond)
    }
    return queueTrail(mark: frameBytes)
  }

  private mutating func queueTrail(mark: UInt64) -> UInt64 {
    lastToken += 1
    trailToken = lastToken
    trailMark = mark
    return lastToken
  }

  /// A part of a write has begun.
  mutating func began(_ bytes: Int, _ carrier: Carrier?, now: Instant) {
    if case .lead? = carrier, let token = leadToken {
      leadToken = nil
      let own = UInt64(2 + varintLength(token))
      note(Probe(token: token, mark: begun + own, sentAt: now, isAlone: unconfirmed == 0))
      lastLead = now
    }
    if state != .fast { begun += UInt64(bytes) }
    if case .trail? = carrier, let token = trailToken {
      trailToken = nil
      note(Probe(token: token, mark: state == .fast ? trailMark : begun, sentAt: now, isAlone: state == .fast))
    }
  }

  private mutating func note(_ probe: Probe) {
    probes.append(probe)
    owedAnswers += 1
    lastProbe = probe.sentAt
    if unansweredSince == nil { unansweredSince = probe.sentAt }
  }

  // MARK: What is told

  /// Whether a client owes this answer. It owes as many as there were pings: they do not count as messages of its own.
  mutating func isOwed(_ token: UInt64) -> Bool {
    guard owedAnswers > 0, token > 0, token <= lastToken else { return false }
    owedAnswers -= 1
    return true
  }

  /// The client has answered a ping.
  ///
  /// - Returns: whether it was one of these.
  mutating func confirm(_ token: UInt64, frameBytes: UInt64, now: Instant) -> Bool {
    guard (1...max(1, lastToken)).contains(token) else { return false }
    answers = true
    guard let index = probes.firstIndex(where: { $0.token == token }) else { return false }
    let probe = probes[index]
    probes.removeSubrange(...index)
    unansweredSince = probes.first?.sentAt
    let delay = now.nanoseconds(since: probe.sentAt)
    if probe.isAlone {
      roundTrip.note(delay, now: now, window: Self.roundTripNanoseconds)
      lastAlone = now
    }
    noteRate(probe, now)
    confirmed = max(confirmed, probe.mark)
    let beyond = delay - min(delay, roundTrip.least ?? 0)
    switch state {
    case .unproven where !probe.isAlone:
      if beyond <= Self.quickNanoseconds { becomeFast(frameBytes, now) } else { becomeThin(now) }
    case .fast where beyond > Self.lateNanoseconds: becomeThin(now)
    case .thin where !probe.isAlone:
      guard beyond <= Self.quickNanoseconds else {
        steadySince = nil
        break
      }
      stayQuick(frameBytes, now)
    case .unproven, .fast, .thin: break
    }
    return true
  }

  /// Bytes between two answers by the time between them: what the link takes, if all of them were on the way before the
  /// first answer came.
  private mutating func noteRate(_ probe: Probe, _ now: Instant) {
    defer { lastConfirmation = (now, probe.mark) }
    guard state != .fast, let last = lastConfirmation, probe.sentAt <= last.at, probe.mark > last.mark else { return }
    let interval = max(now.nanoseconds(since: last.at), Self.leastIntervalNanoseconds)
    let sample = min(probe.mark - last.mark, 1 << 30) * 1_000_000_000 / interval
    guard let known = bytesPerSecond else {
      bytesPerSecond = max(1, sample)
      return
    }
    // Answers that were held up on their way back come close together: one of them alone changes little.
    bytesPerSecond = max(1, (known + min(sample, 2 * known)) / 2)
  }

  /// A write has blocked.
  mutating func blocked(now: Instant) {
    steadySince = nil
    if state != .thin { becomeThin(now) }
  }

  /// A fast member has probes without an answer for too long.
  mutating func judge(now: Instant) {
    guard state == .fast, let first = probes.first else { return }
    let late = (roundTrip.least ?? 0) + Self.lateNanoseconds
    if now.nanoseconds(since: first.sentAt) > late { becomeThin(now) }
  }

  /// Whether what the kernel holds is to be told: no answer comes.
  ///
  /// - Parameter answersWait: answers may lie in what the server itself has not read yet.
  func asksKernel(answersWait: Bool = false, now: Instant) -> Bool {
    guard state != .fast, unconfirmed > 0 else { return false }
    if answersWait { return true }
    guard answers != true else { return false }
    guard answers == nil else { return true }
    return unansweredSince.map { now.nanoseconds(since: $0) > Self.firstAnswerNanoseconds } ?? false
  }

  /// The peer's kernel has acknowledged all bytes, and no answer came: better than nothing.
  mutating func kernelIsEmpty(frameBytes: UInt64, now: Instant) {
    guard answers != true else { return }
    answers = false
    confirmed = begun
    probes.removeAll(keepingCapacity: true)
    (lastConfirmation, unansweredSince) = (nil, nil)
    if state == .unproven { becomeFast(frameBytes, now) } else { stayQuick(frameBytes, now) }
  }

  /// The peer's kernel has acknowledged all bytes, and answers to probes wait for the server: the client is not silent.
  mutating func kernelIsEmptyWhileAnswersWait() {
    confirmed = begun
    probes.removeAll(keepingCapacity: true)
    (lastConfirmation, unansweredSince) = (nil, nil)
  }

  /// For how long a client that answers has read nothing, beyond what its link takes for what it was sent; 0 when it has.
  ///
  /// - Parameter since: what came before does not count: its kernel still took something, or the server stood still.
  func silentNanoseconds(since start: Instant, now: Instant) -> UInt64 {
    guard answers == true, state != .fast, let unansweredSince else { return 0 }
    let expected = nanoseconds(for: unconfirmed) ?? 0
    let since = now.nanoseconds(since: max(unansweredSince, start))
    return since - min(since, expected)
  }

  // MARK: States

  private mutating func stayQuick(_ frameBytes: UInt64, _ now: Instant) {
    guard let steadySince else {
      steadySince = now
      return
    }
    if now.nanoseconds(since: steadySince) >= patience { becomeFast(frameBytes, now) }
  }

  private mutating func becomeFast(_ frameBytes: UInt64, _ now: Instant) {
    if state == .thin { thinUntil = now }
    state = .fast
    confirmed = frameBytes
    needsBase = false
    probes.removeAll(keepingCapacity: true)
    (lastConfirmation, unansweredSince, steadySince) = (nil, nil, nil)
    (lastProbe, becameFast) = (now, now)
    probeInterval = Self.firstProbeNanoseconds
  }

  private mutating func becomeThin(_ now: Instant) {
    let isRelapse = state == .fast && now.nanoseconds(since: becameFast) < Self.relapseNanoseconds
    patience = isRelapse ? min(2 * patience, Self.mostPatience) : Self.leastPatience
    if state == .fast {
      needsBase = true
      // What was measured before is of another time.
      (bytesPerSecond, lastConfirmation) = (nil, nil)
    }
    state = .thin
    steadySince = nil
  }

  /// Tells where a member stands that was fast until now.
  ///
  /// - Parameter frameBytes: of all frames of the room up to its cursor.
  mutating func setBase(frameBytes: UInt64) {
    needsBase = false
    begun = max(confirmed, frameBytes)
  }
}

/// The least of the last numbers, those of one to two windows.
private struct WindowedLeast {
  private var current: UInt64?
  private var former: UInt64?
  private var began = Instant(nanoseconds: 0)

  var least: UInt64? {
    guard let current else { return former }
    return former.map { min($0, current) } ?? current
  }

  mutating func note(_ number: UInt64, now: Instant, window: UInt64) {
    if now.nanoseconds(since: began) > window {
      former = current
      current = nil
      began = now
    }
    current = current.map { min($0, number) } ?? number
  }
}
