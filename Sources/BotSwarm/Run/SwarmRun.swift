import EventLoop
import Glibc

/// A whole run: starts the loops, leads them through joining, the steady window and leaving, shows how it goes, and
/// makes the report.
///
/// It runs on the caller's thread with a loop of its own for timers and signals; the bots' loops have a thread each.
package final class SwarmRun {
  enum Phase {
    case joining
    /// Everyone is there: a second for the server to settle.
    case settling(until: Int)
    /// Measured without the hostile bots.
    case baseline(until: Int)
    /// The hostile bots take their places.
    case mixing(until: Int)
    case steady(until: Int)
    /// The hostile bots are gone, until the next baseline.
    case resting(until: Int)
    /// No new events: what is under way arrives.
    case quiet(until: Int)
    case leaving(until: Int)
    /// All have left: what does the server still hold?
    case census(since: Int)
    case done
  }

  /// Time for what is under way to arrive, and for everyone to leave, in seconds.
  static let settleSeconds = 1
  static let quietSeconds = 2
  private static let leaveSeconds = 10
  static let mixSeconds = 2
  /// Sockets of hostile bots that the server still lingers on are no part of the next baseline.
  static let restSeconds = 5
  private static let redrawMilliseconds: UInt64 = 150

  let plan: SwarmPlan
  let terminal: Terminal?
  var report: SwarmReport
  private(set) var phase = Phase.joining
  var loop: Loop?
  private var workers: [(thread: LoopThread, commands: Mailbox<SwarmLoop.Command>)] = []
  var hostile: (thread: LoopThread, commands: Mailbox<HostileLoop.Command>)?
  private var secondTimer: Timer?
  private(set) var began: UInt64 = 0
  /// Seconds that have begun.
  private(set) var second = 0
  private var pending: LoopSample?
  private var samplesMissing = 0
  private var settled = 0
  private var ended = 0
  private var finished = 0
  private var openWindow: (kind: MeasuredWindow.Kind, from: Int)?
  private var windowMeasures = WindowMeasures()
  private var windowsMissing = 0
  /// Pairs of windows still to be measured.
  private(set) var repeatsLeft = 1
  /// When a window that waits for the hostile bots' work is given up.
  private var patienceUntil = 0
  var censusUnderWay = false
  var status: LiveStatus
  var server: ProcessSampler?
  private var swarm = ProcessSampler(pid: getpid())
  private var machine = MachineClock()

  /// - Parameter terminal: Where to show progress; nil shows none.
  package init(_ plan: SwarmPlan, terminal: Terminal?) {
    self.plan = plan
    self.terminal = terminal
    report = SwarmReport(setting: plan.setting)
    report.thresholds = plan.thresholds
    status = LiveStatus(setting: plan.setting)
    server = plan.serverPID.map { ProcessSampler(pid: $0) }
    repeatsLeft = plan.hostile?.repeats ?? 1
  }

  /// Runs to the end, or until it is interrupted.
  package func run() throws -> SwarmReport {
    try beginCensus()
    let loop = try Loop()
    self.loop = loop
    began = LoopMeasures.now()
    do {
      try startWorkers(loop)
      try startTimers(loop)
    } catch {
      stopWorkers()
      loop.stop()
      loop.run()
      throw error
    }
    loop.run()
    for worker in workers { worker.thread.join() }
    hostile?.thread.join()
    terminal?.finish()
    return report
  }

  private func startWorkers(_ loop: Loop) throws {
    let inbox = try Mailbox<SwarmLoop.Notice>(loop: loop) { [unowned self] notice in receive(notice) }
    for number in 0..<plan.loops {
      let plan = self.plan
      let started = try LoopThread.start(name: "swarm-\(number)") { loop in
        let bots = try SwarmLoop(number: number, plan: plan, loop: loop) { notice in inbox.post(notice) }
        return try Mailbox<SwarmLoop.Command>(loop: loop) { command in bots.handle(command) }
      }
      workers.append((started.thread, started.value))
    }
    try startHostile(loop)
  }

  private func stopWorkers() {
    for worker in workers {
      worker.thread.stop()
      worker.thread.join()
    }
    workers = []
    hostile?.thread.stop()
    hostile?.thread.join()
    hostile = nil
  }

  private func startTimers(_ loop: Loop) throws {
    let seconds = try Timer(loop: loop) { [unowned self] in secondPassed() }
    secondTimer = seconds
    armSecond()
    if let terminal, terminal.isInteractive {
      try Timer(loop: loop) { [unowned self] in redraw() }.start(everyMilliseconds: Self.redrawMilliseconds)
    }
    for signal in [SIGINT, SIGTERM] {
      _ = try SignalSource(loop: loop, signal: signal) { [unowned self] _ in interrupt() }
    }
  }

  /// Seconds are counted from the beginning, so that they don't drift.
  private func armSecond() {
    let next = began + UInt64(second + 1) * 1_000_000
    let now = LoopMeasures.now()
    secondTimer?.start(afterMilliseconds: next > now ? (next - now + 999) / 1_000 : 0)
  }

  private func order(_ command: SwarmLoop.Command) {
    for worker in workers { worker.commands.post(command) }
  }

  // MARK: Seconds

  private func secondPassed() {
    second += 1
    armSecond()
    // A loop that has not answered yet is behind; the next second then covers both.
    guard samplesMissing == 0 else { return }
    if case .done = phase { return }
    samplesMissing = workers.count
    if case .census = phase { samplesMissing = 0 } else { order(.sample(second: second)) }
    hostile?.commands.post(.sample)
    advance()
  }

  private func advance() {
    switch phase {
    case .joining:
      // Twice the time that the join rate asks for, and half a minute: then who is not there is counted as missing.
      let patience = Int(Double(plan.bots) / plan.joinsPerSecond * 2) + 30
      if settled >= plan.bots || second > patience { phase = .settling(until: second + Self.settleSeconds) }
    case .settling(let until) where second >= until: beginRepeat()
    case .baseline(let until) where second >= until:
      endWindow()
      if repeatsLeft > 0 { mix() } else { beginQuiet() }
    case .mixing(let until) where second >= until:
      begin(.steady)
      patienceUntil = second + plan.durationSeconds + (plan.hostile?.patienceSeconds ?? 0)
      phase = .steady(until: second + plan.durationSeconds)
    case .steady(let until) where second >= until:
      if status.hostile?.workLeft ?? 0 == 0 || second >= patienceUntil || repeatsLeft > 1 { endSteady() }
    case .resting(let until) where second >= until: beginRepeat()
    case .quiet(let until) where second >= until:
      leave(afterQuiet: true)
    case .leaving(let until) where second >= until:
      finish()
    case .census(let since): takeCensus(since: since)
    case .settling, .baseline, .mixing, .steady, .resting, .quiet, .leaving, .done: break
    }
  }

  // MARK: Windows

  private func beginRepeat() {
    guard let seconds = plan.hostile?.baselineSeconds else { return mix() }
    begin(.baseline)
    phase = .baseline(until: second + seconds)
  }

  /// The hostile bots come; without any the steady window begins at once.
  private func mix() {
    hostile?.commands.post(.begin)
    phase = .mixing(until: second + (plan.hostile == nil ? 0 : Self.mixSeconds))
    if plan.hostile == nil { advance() }
  }

  private func begin(_ window: MeasuredWindow.Kind) {
    openWindow = (window, report.seconds.count + 1)
    windowMeasures = WindowMeasures()
    order(.begin(window))
  }

  private func endWindow() {
    guard let openWindow else { return }
    self.openWindow = nil
    windowsMissing = workers.count
    order(.endWindow)
    // The sample just asked for is the last one of the window.
    let seconds = openWindow.from..<max(openWindow.from, report.seconds.count + 1)
    report.windows.append(MeasuredWindow(openWindow.kind, seconds: seconds))
  }

  private func endSteady() {
    endWindow()
    repeatsLeft -= 1
    hostile?.commands.post(.rest)
    if repeatsLeft > 0 || plan.hostile?.baselineSeconds != nil, !report.wasInterrupted {
      // After the last one comes a window without the mix: each with it lies between two.
      phase = .resting(until: second + Self.restSeconds)
    } else {
      beginQuiet()
    }
  }

  private func beginQuiet() {
    order(.quiet)
    phase = .quiet(until: second + Self.quietSeconds)
  }

  private func merge(_ measures: WindowMeasures) {
    windowMeasures.add(measures)
    windowsMissing -= 1
    guard windowsMissing == 0, let last = report.windows.indices.last else { return }
    report.windows[last].latency = windowMeasures.latency.summary
    report.windows[last].rates = RateSummary(windowMeasures.ratesPerSecond)
  }

  // MARK: The end

  private func leave(afterQuiet: Bool) {
    phase = .leaving(until: second + Self.leaveSeconds)
    order(.leave(afterQuiet: afterQuiet))
  }

  private func finish() {
    order(.finish)
    hostile?.commands.post(.finish)
    phase = report.census == nil ? .done : .census(since: second)
    if report.census == nil { stopWhenFinished() }
  }

  /// After the census, or in place of it.
  func finishCensus() {
    phase = .done
    stopWhenFinished()
  }

  func stopWhenFinished() {
    guard case .done = phase, finished == workers.count, hostile == nil || report.hostile != nil else { return }
    loop?.stop()
  }

  /// Ends the run in order; each further time it skips a step of that.
  private func interrupt() {
    report.wasInterrupted = true
    switch phase {
    case .joining, .settling, .baseline, .mixing, .resting, .quiet:
      hostile?.commands.post(.rest)
      leave(afterQuiet: false)
    case .steady: endSteady()
    case .leaving: finish()
    case .census: finishCensus()
    case .done: break
    }
  }

  // MARK: Notices

  private func receive(_ notice: SwarmLoop.Notice) {
    switch notice {
    case .sampled(let sample): merge(sample)
    case .allEnded:
      ended += 1
      if ended == workers.count, case .leaving = phase { finish() }
    case .finished(let totals):
      report.totals.add(totals)
      finished += 1
      stopWhenFinished()
    case .measured(let measures): merge(measures)
    }
  }

  private func merge(_ sample: LoopSample) {
    if var merged = pending {
      merged.add(sample)
      pending = merged
    } else {
      pending = sample
    }
    samplesMissing -= 1
    guard samplesMissing == 0, let merged = pending else { return }
    pending = nil
    settled = merged.settled
    if merged.tickRate > 0 { report.setting.tickRate = merged.tickRate }
    let now = LoopMeasures.now()
    var point = merged.point(server: server?.sample(atMicroseconds: now), swarm: swarm.sample(atMicroseconds: now))
    point.machineBusy = machine.busyShare()
    report.seconds.append(point)
    let share = Double(merged.bytesReceived) / Double(max(1, merged.joined))
    hostile?.commands.post(.traffic(bytesPerMemberSecond: share))
    update(merged, point)
  }
}
