import ClientCore
import EventLoop
import WireFormat

/// A bot that plays: it joins its room, moves its entity, raises events, and checks all it gets.
final class MovingBot: Bot {
  /// What a bot needs to know, shared by those of a loop.
  final class Surroundings {
    let plan: SwarmPlan
    let loop: Loop
    let measures = LoopMeasures()
    /// Learnt by the first bot that joins, so that the others need not ask for it.
    var schema: Schema?
    var fields: MotionFields?
    /// Spreads the returns of bots that lost their connections at once.
    var random: SplitMix64

    init(_ plan: SwarmPlan, _ loop: Loop) {
      self.plan = plan
      self.loop = loop
      random = SplitMix64(seed: plan.seed)
    }
  }

  let index: Int
  let room: BotRoom
  let surroundings: Surroundings
  let core: ClientCore
  private(set) var state = BotState.waiting
  let connection: BotConnection
  /// Cuts the stream a second time, to see the bytes of frames and their lengths.
  var assembler = MessageAssembler(limit: WireLimits.serverMessageBytes)
  var following = Following.unknown
  /// The tick that `following` stands at.
  var mirrorTick: Tick?
  var hasSeenKeyframe = false
  var steady = SteadyWindow()
  var talk: Talk
  /// Local time of the bytes at hand, in microseconds.
  var now: UInt64 = 0
  var lastFrame: (tick: Tick, at: UInt64)?
  /// While it has lost its connection and is on its way back.
  var absence: Absence?
  /// Since when this bot waits for an answer for another reason than a timed input.
  var waitsSince: UInt64?
  /// It found a fault: coming back would only find it again.
  var isFaulty = false
  private(set) var isClosing = false
  private var startedAt: UInt64 = 0
  private(set) var joinedAt: UInt64 = 0
  /// Counted among the connected, and among the joined.
  private var isOpen = false
  private var isSeated = false
  private(set) var hasJoined = false
  private var framesInSecond = 0
  private var wasJoinedAllSecond = false
  private var mover: Mover?
  private let profile: MovementProfile
  private var entity: EntityID?
  private var written = MotionFields.Written()
  /// The input whose acknowledgement is waited for; one at a time is timed.
  private var timedInput: (sequence: UInt32, at: UInt64)?

  var measures: LoopMeasures { surroundings.measures }

  init(index: Int, in room: BotRoom, _ surroundings: Surroundings) {
    self.index = index
    self.room = room
    self.surroundings = surroundings
    let plan = surroundings.plan
    core = ClientCore(
      ClientConfiguration(
        credential: plan.token.map { .token($0) } ?? .none, schema: surroundings.schema,
        keepsState: !plan.sharesDecoding, pingMilliseconds: 5_000))
    connection = BotConnection(surroundings.measures)
    profile = plan.mix.profile(ofBot: index)
    talk = Talk(interval: plan.eventIntervalSeconds, seed: plan.seed &+ UInt64(index))
  }

  func start() {
    state = .connecting
    startedAt = LoopMeasures.now()
    let plan = surroundings.plan
    connection.connect(
      on: surroundings.loop, to: plan.host, port: plan.port, from: LocalAddress.address(ofBot: index, plan)
    ) { [weak self] error in
      self?.didConnect(error)
    }
  }

  private func didConnect(_ error: LoopError?) {
    guard let stream = connection.stream, error == nil, state == .connecting else {
      if state == .connecting { measures.totals.connectFailures[error.map { "\($0)" } ?? "cancelled", default: 0] += 1 }
      connection.stream?.close()
      return end()
    }
    state = .joining
    didOpen(stream)
    do throws(ClientMisuse) { try core.connect(now: LoopMeasures.now()) } catch { return fail("\(error)") }
    if !connection.flush(core) { fail("writeFailed") }
  }

  func didOpen(_ stream: Stream) {
    measures.connected += 1
    isOpen = true
    stream.delegate = self
    stream.startReading()
  }

  // MARK: The runner's calls

  func pump(now: UInt64, seconds: Double) {
    if state == .away { return comeBack(now: now) }
    guard state == .joined else { return }
    guard core.tick(now: now) else { return lose() }
    if connection.isBlocked {
      measures.totals.inputsHeldBack += 1
      return
    }
    if surroundings.plan.inputRate > 0 { move(now: now, seconds: seconds) }
    raiseEvents(now: now)
    if !connection.flush(core) { fail("writeFailed") }
  }

  private func move(now: UInt64, seconds: Double) {
    guard let fields = surroundings.fields, let entity = findEntity(fields) else { return }
    var mover = self.mover ?? Mover(profile, in: fields.area, seed: surroundings.plan.seed &+ UInt64(index) &* 7_919)
    mover.step(seconds: seconds)
    self.mover = mover
    do {
      try fields.write(mover, of: entity, previous: &written, to: core)
      guard let sequence = try core.flushInput() else { return }
      measures.totals.inputsSent += 1
      if timedInput == nil { timedInput = (sequence, now) }
    } catch {
      // Gone between two frames: the next turn looks for the new one.
      self.entity = nil
    }
  }

  private func findEntity(_ fields: MotionFields) -> EntityID? {
    guard let player = core.seat?.player else { return nil }
    let kind = Int(fields.kind.rawValue)
    return withTable(kind) { table in
      if let entity, table.contains(Int(entity.id)), table.owner(of: Int(entity.id)) == player { return entity }
      entity = nil
      written = MotionFields.Written()
      var found: EntityID?
      table.forEach { id in
        if found == nil, table.owner(of: id) == player {
          found = EntityID(kind: fields.kind, id: UInt16(truncatingIfNeeded: id))
        }
      }
      entity = found
      return found
    }
  }

  private func withTable<Result>(_ kind: Int, _ body: (borrowing EntityTable) -> Result?) -> Result? {
    switch following {
    case .own(let mirror): kind < mirror.tables.count ? body(mirror.tables[kind]) : nil
    case .shared: room.mirror.flatMap { kind < $0.tables.count ? body($0.tables[kind]) : nil }
    case .unknown: kind < core.tables.count ? body(core.tables[kind]) : nil
    }
  }

  func takeFrameCount() -> Int? {
    defer {
      framesInSecond = 0
      wasJoinedAllSecond = state == .joined
    }
    return wasJoinedAllSecond ? framesInSecond : nil
  }

  func quiet() { talk.isQuiet = true }

  func leave() {
    if state == .away { measures.disconnected("away at the end") }
    guard state == .joined else { return close() }
    state = .leaving
    do throws(ClientMisuse) { try core.leave() } catch { return close() }
    if !connection.flush(core) { close() }
  }

  func close() {
    guard state != .ended else { return }
    isClosing = true
    if connection.isIdle { return end() }
    connection.close()
  }

  // MARK: What the core tells

  func joined(_ joined: Joined) {
    hasJoined = true
    joinedAt = now
    takeSeat()
    measures.joins += 1
    measures.totals.joined += 1
    measures.tickRate = joined.tickRate
    if let schema = core.seat?.schema, surroundings.schema != schema {
      surroundings.schema = schema
      surroundings.fields = MotionFields(schema)
    }
    room.settle()
  }

  private func takeSeat() {
    state = .joined
    isSeated = true
    measures.joined += 1
  }

  func didDepart() {
    state = .away
    isSeated = false
    measures.joined -= 1
    waitsSince = timedInput?.at
    timedInput = nil
  }

  func didReturn() {
    takeSeat()
    // What was on its way may be lost: all fields are sent again.
    written = MotionFields.Written()
  }

  /// Ticks that were due by now and whose frames have not come.
  /// - Parameter others: Since when an input of the room waits.
  func countOverdue(before next: UInt32, now: UInt64, others: UInt64? = nil) {
    guard let lastFrame, let seat = core.seat else { return }
    var since = [timedInput?.at, waitsSince, absence?.since, others].compactMap { $0 }.min()
    if room.wait.upperBound > lastFrame.at { since = min(since ?? .max, room.wait.lowerBound) }
    measures.recordOverdue(
      after: lastFrame, before: next, now: now, waitsSince: since, seat,
      roundTripMicroseconds: core.clock.roundTripMicroseconds ?? 0)
  }

  /// Since when an input waits for its acknowledgement, if one does.
  var inputWaitsSince: UInt64? { timedInput?.at ?? absence?.since }

  func countFrame(_ tick: Tick) {
    framesInSecond += 1
    if measures.window != nil {
      steady.recordFrame(atMicroseconds: now)
      if let lastFrame, tick.rawValue > lastFrame.tick.rawValue + 1 { countOverdue(before: tick.rawValue, now: now) }
    }
    waitsSince = nil
    guard let seat = core.seat else { return }
    measures.recordFrame(dueMicroseconds: seat.dueMicroseconds(tick), receivedMicroseconds: now)
    if let lastFrame, measures.isSteady, tick > lastFrame.tick {
      let span = UInt64(tick.rawValue - lastFrame.tick.rawValue)
      let wanted = span * 1_000_000 / UInt64(seat.tickRate)
      let took = now - lastFrame.at
      measures.totals.intervalJitter.record(microseconds: took > wanted ? took - wanted : wanted - took)
    } else if lastFrame == nil {
      measures.totals.joinTime.record(microseconds: now - startedAt)
    }
    lastFrame = (tick, now)
  }

  func acknowledged(_ sequence: UInt32) {
    guard let timed = timedInput, sequence >= timed.sequence else { return }
    timedInput = nil
    let waited = now - timed.at
    if waited > 100_000 + (core.clock.roundTripMicroseconds ?? 0) { room.noteWait(from: timed.at, to: now) }
    if measures.isSteady { measures.totals.acknowledgement.record(microseconds: now - timed.at) }
  }

  func left() {
    guard state == .leaving else { return }
    measures.totals.leftInOrder += 1
    core.close()
    connection.closeAfterFlush()
  }

  func refused(_ refusal: JoinRefused) {
    let name = JoinRefusal(rawValue: refusal.code).map { "\($0)" } ?? "refusal \(refusal.code)"
    measures.totals.joinRefusals[name, default: 0] += 1
    close()
  }

  // MARK: Ends

  /// The connection is of no more use, and the core knows why.
  func lose() {
    var reason = "peerClosed"
    if case .finished(let loss) = core.phase {
      switch loss {
      case .disconnected: break
      case .silent: reason = "silent"
      case .goodbye(let goodbye): reason = CloseReason(rawValue: goodbye.code)?.name ?? "reason \(goodbye.code)"
      case .fault: reason = "protocolFault"
      }
    }
    fail(reason)
  }

  func fail(_ reason: String) {
    guard !goAway(reason, at: LoopMeasures.now()) else { return }
    // After Leave the server may be quicker to close than we are.
    if state == .joining || state == .joined || state == .away, !isClosing { measures.disconnected(reason) }
    close()
  }

  /// The stream is closed.
  func closed() {
    if isOpen { measures.connected -= 1 }
    isOpen = false
    connection.didClose()
    if state != .away || isClosing { end() }
  }

  func end() {
    guard state != .ended else { return }
    if isOpen { measures.connected -= 1 }
    isOpen = false
    if isSeated { measures.joined -= 1 }
    isSeated = false
    if !hasJoined { room.settle() }
    state = .ended
    connection.didClose()
  }
}
