import ClientCore
import EventLoop

/// The bots of one loop: connects them at the join rate, gives each its turns, and tells the run what was measured.
/// Confined to its thread; the run talks to it through a mailbox.
final class SwarmLoop {
  /// What the run asks for.
  enum Command: Sendable {
    /// Close the books of a second.
    case sample(second: Int)
    case begin(MeasuredWindow.Kind)
    case endWindow
    /// No more events.
    case quiet
    /// Leave the rooms. `afterQuiet`: all was quiet for a while, so what was not heard by now is lost.
    case leave(afterQuiet: Bool)
    /// Close what is still open, and end.
    case finish
  }

  /// What it gets.
  enum Notice: Sendable {
    case sampled(LoopSample)
    case measured(WindowMeasures)
    /// Every bot has left and every socket is closed.
    case allEnded(loop: Int)
    case finished(SwarmTotals)
  }

  /// Turns are spread over this many slots of the input interval: a burst of all bots at once would be a load of its
  /// own.
  private static let slots = 16
  /// Connections being made at a time; more would only wait in the listener's backlog.
  private static let mostConnecting = 256

  private let number: Int
  private let surroundings: MovingBot.Surroundings
  private let tell: @Sendable (Notice) -> Void
  private let bots: [any Bot]
  private let rooms: [BotRoom]
  private let joinsPerSecond: Double
  private let periodNanoseconds: UInt64
  private let beganAt = LoopMeasures.now()
  private var pumpTimer: TickTimer?
  private var nextPump = MonotonicTime(nanoseconds: 0)
  private var slot = 0
  private var started = 0
  private var isLeaving = false
  private var saidAllEnded = false
  private var lastSampleAt = LoopMeasures.now()
  private var clock = ThreadClock()
  private var windowStart: UInt64?

  private var measures: LoopMeasures { surroundings.measures }

  init(
    number: Int, plan: SwarmPlan, loop: Loop, tell: @escaping @Sendable (Notice) -> Void
  ) throws(LoopError) {
    self.number = number
    self.tell = tell
    surroundings = MovingBot.Surroundings(plan, loop)
    var rooms: [BotRoom] = []
    var bots: [any Bot] = []
    for room in stride(from: number, to: plan.rooms, by: plan.loops) {
      let indices = (room * plan.roomSize)..<min(plan.bots, (room + 1) * plan.roomSize)
      let botRoom = BotRoom(name: "\(plan.roomPrefix)-\(room)", members: indices.count)
      for index in indices {
        let bot = MovingBot(index: index, in: botRoom, surroundings)
        botRoom.add(bot)
        bots.append(bot)
      }
      rooms.append(botRoom)
    }
    self.rooms = rooms
    self.bots = bots
    joinsPerSecond = plan.joinsPerSecond / Double(plan.loops)
    let turnsPerSecond = plan.inputRate > 0 ? plan.inputRate : 10
    periodNanoseconds = UInt64(1_000_000_000 / turnsPerSecond) / UInt64(Self.slots)
    let timer = try TickTimer(loop: loop) { [unowned self] expirations, now in pump(expirations, now) }
    nextPump = Loop.clock().advanced(byNanoseconds: periodNanoseconds)
    timer.arm(at: nextPump, periodNanoseconds: periodNanoseconds)
    pumpTimer = timer
  }

  func handle(_ command: Command) {
    switch command {
    case .sample(let second): sample(second)
    case .begin(let window): begin(window)
    case .endWindow: endWindow()
    case .quiet: for bot in bots { bot.quiet() }
    case .leave(let afterQuiet): leave(afterQuiet: afterQuiet)
    case .finish: finish()
    }
  }

  // MARK: Turns

  private func pump(_ expirations: UInt64, _ now: MonotonicTime) {
    let due = nextPump.advanced(byNanoseconds: (expirations - 1) * periodNanoseconds)
    nextPump = due.advanced(byNanoseconds: periodNanoseconds)
    // The oldest deadline of those missed is how late it really is.
    let late = now.nanoseconds(since: due) + (expirations - 1) * periodNanoseconds
    if measures.isSteady { measures.totals.inputLateness.record(microseconds: late / 1_000) }
    connectSome()
    // Turns missed are not caught up in a burst: the bots move on by the time that has passed.
    let turns = min(Int(expirations), Self.slots)
    let seconds = Double(periodNanoseconds) * Double(Self.slots) / 1_000_000_000
    let microseconds = now.nanoseconds / 1_000
    for _ in 0..<turns {
      var index = slot
      while index < started {
        bots[index].pump(now: microseconds, seconds: seconds)
        index += Self.slots
      }
      slot = (slot + 1) % Self.slots
    }
    if isLeaving { sayWhenAllEnded() }
  }

  private func connectSome() {
    guard started < bots.count, !isLeaving else { return }
    let elapsed = Double(LoopMeasures.now() - beganAt) / 1_000_000
    let due = min(bots.count, Int(elapsed * joinsPerSecond) + 1)
    while started < due {
      // What is connecting is what was started and neither joined nor ended.
      if started - measures.totals.joined - endedEarly > Self.mostConnecting { return }
      bots[started].start()
      started += 1
    }
  }

  private var endedEarly: Int {
    measures.totals.connectFailures.values.reduce(0, +) + measures.totals.joinRefusals.values.reduce(0, +)
      + measures.totals.disconnectCount
  }

  // MARK: Seconds

  private func sample(_ second: Int) {
    let now = LoopMeasures.now()
    let seconds = max(0.001, Double(now - lastSampleAt) / 1_000_000)
    lastSampleAt = now
    updateClock()
    var sample = LoopSample(second: second)
    sample.loop = number
    sample.connected = measures.connected
    sample.joined = measures.joined
    sample.joins = measures.joins
    sample.frames = measures.frames
    sample.bytesReceived = measures.bytesReceived
    sample.bytesSent = measures.bytesSent
    sample.settled = measures.totals.joined + endedEarly
    sample.tickRate = Int(measures.tickRate)
    sample.latency = measures.latency
    sample.faults = measures.totals.faults
    sample.lost = measures.totals.disconnectCount
    sample.loopBusy = clock.busyShare(nowNanoseconds: now * 1_000) ?? 0
    for bot in bots {
      guard let frames = bot.takeFrameCount() else { continue }
      sample.frameRates.append(Float(Double(frames) / seconds))
    }
    measures.totals.bytesReceived += UInt64(measures.bytesReceived)
    measures.totals.bytesSent += UInt64(measures.bytesSent)
    measures.startSecond()
    tell(.sampled(sample))
  }

  /// The server's clock is one for all: every bot that was answered knows something of it.
  private func updateClock() {
    for case let bot as MovingBot in bots where bot.state == .joined {
      guard let roundTrip = bot.core.clock.roundTripMicroseconds, let offset = bot.core.clock.offsetMicroseconds
      else { continue }
      measures.serverClock.add(offsetMicroseconds: offset, roundTripMicroseconds: roundTrip)
    }
  }

  private func begin(_ window: MeasuredWindow.Kind) {
    windowStart = LoopMeasures.now()
    for case let bot as MovingBot in bots { bot.steady = SteadyWindow() }
    measures.begin(window)
  }

  private func endWindow() {
    guard let windowStart, measures.window != nil else { return }
    let end = LoopMeasures.now()
    let isSteady = measures.isSteady
    countOverdue(at: end)
    var window = WindowMeasures()
    window.latency = measures.endWindow()
    let tick = 1_000_000 / UInt64(max(1, measures.tickRate))
    // A bot that was lost on the way still counts, with what it got.
    for case let bot as MovingBot in bots where bot.hasJoined {
      let rate = bot.steady.ratePerSecond(fromMicroseconds: windowStart, toMicroseconds: end, tickMicroseconds: tick)
      if let rate { window.ratesPerSecond.append(rate) }
      let gap = bot.steady.longestGap(fromMicroseconds: max(windowStart, bot.joinedAt), toMicroseconds: end)
      window.gapsMicroseconds.append(gap)
    }
    if isSteady {
      measures.totals.ratesPerSecond += window.ratesPerSecond
      measures.totals.gapsMicroseconds += window.gapsMicroseconds
    }
    tell(.measured(window))
  }

  /// What has not come when the window ends is as late as it is by then.
  private func countOverdue(at end: UInt64) {
    for room in rooms {
      let waitsSince = room.bots.compactMap(\.inputWaitsSince).min()
      for bot in room.bots where bot.state == .joined || bot.state == .away {
        bot.countOverdue(before: .max, now: end, others: waitsSince)
      }
    }
  }

  // MARK: The end

  private func leave(afterQuiet: Bool) {
    guard !isLeaving else { return }
    isLeaving = true
    if afterQuiet { for case let bot as MovingBot in bots { bot.settleTalk() } }
    for bot in bots { bot.leave() }
  }

  private func sayWhenAllEnded() {
    guard !saidAllEnded, bots[..<started].allSatisfy({ $0.state == .ended }) else { return }
    saidAllEnded = true
    tell(.allEnded(loop: number))
  }

  private func finish() {
    measures.totals.bytesReceived += UInt64(measures.bytesReceived)
    measures.totals.bytesSent += UInt64(measures.bytesSent)
    measures.totals.socketsLeftOpen = surroundings.loop.gauges.streams
    for bot in bots { bot.close() }
    for room in rooms {
      if let bytes = room.meter?.bytes { measures.totals.add(bytes) }
      room.removeAll()
    }
    tell(.finished(measures.totals))
    surroundings.loop.stop()
  }
}
