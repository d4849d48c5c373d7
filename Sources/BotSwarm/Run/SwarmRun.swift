import EventLoop
import Glibc

/// A whole run: starts the loops, leads them through joining, the steady window and leaving, shows how it goes, and
/// makes the report.
///
/// It runs on the caller's thread with a loop of its own for timers and signals; the bots' loops have a thread each.
package final class SwarmRun {
  private enum Phase {
    case joining
    /// Everyone is there: a second for the server to settle.
    case settling(until: Int)
    case steady(until: Int)
    /// No new events: what is under way arrives.
    case quiet(until: Int)
    case leaving(until: Int)
    case done
  }

  /// Time for what is under way to arrive, and for everyone to leave, in seconds.
  private static let settleSeconds = 1
  private static let quietSeconds = 2
  private static let leaveSeconds = 10
  private static let redrawMilliseconds: UInt64 = 150

  private let plan: SwarmPlan
  private let terminal: Terminal?
  private var report: SwarmReport
  private var phase = Phase.joining
  private var loop: Loop?
  private var workers: [(thread: LoopThread, commands: Mailbox<SwarmLoop.Command>)] = []
  private var secondTimer: Timer?
  private var began: UInt64 = 0
  /// Seconds that have begun.
  private var second = 0
  private var pending: LoopSample?
  private var samplesMissing = 0
  private var settled = 0
  private var ended = 0
  private var finished = 0
  private var steadyFrom = 0
  private var status: LiveStatus
  private var server: ProcessSampler?
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
  }

  /// Runs to the end, or until it is interrupted.
  package func run() throws -> SwarmReport {
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
  }

  private func stopWorkers() {
    for worker in workers {
      worker.thread.stop()
      worker.thread.join()
    }
    workers = []
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
    order(.sample(second: second))
    advance()
  }

  private func advance() {
    switch phase {
    case .joining:
      // Twice the time that the join rate asks for, and half a minute: then who is not there is counted as missing.
      let patience = Int(Double(plan.bots) / plan.joinsPerSecond * 2) + 30
      if settled >= plan.bots || second > patience { phase = .settling(until: second + Self.settleSeconds) }
    case .settling(let until) where second >= until:
      steadyFrom = report.seconds.count + 1
      order(.beginSteady)
      phase = .steady(until: second + plan.durationSeconds)
    case .steady(let until) where second >= until:
      endSteady()
    case .quiet(let until) where second >= until:
      leave(afterQuiet: true)
    case .leaving(let until) where second >= until:
      finish()
    case .settling, .steady, .quiet, .leaving, .done: break
    }
  }

  private func endSteady() {
    order(.endSteady)
    // The sample just asked for is the last one of the window.
    report.steadySeconds = steadyFrom..<max(steadyFrom, report.seconds.count + 1)
    phase = .quiet(until: second + Self.quietSeconds)
  }

  private func leave(afterQuiet: Bool) {
    phase = .leaving(until: second + Self.leaveSeconds)
    order(.leave(afterQuiet: afterQuiet))
  }

  private func finish() {
    phase = .done
    order(.finish)
  }

  /// Ends the run in order; each further time it skips a step of that.
  private func interrupt() {
    switch phase {
    case .joining, .settling, .quiet: leave(afterQuiet: false)
    case .steady: endSteady()
    case .leaving: finish()
    case .done: break
    }
    report.wasInterrupted = true
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
      if finished == workers.count { loop?.stop() }
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
    update(merged, point)
  }

  // MARK: Progress

  private func update(_ sample: LoopSample, _ point: SecondSample) {
    status.setting = report.setting
    status.connected = sample.connected
    status.joined = sample.joined
    status.lost = sample.lost
    status.faults = sample.faults
    status.last = point
    status.rates.append(point.framesP50 ?? 0)
    guard let terminal, !terminal.isInteractive else { return }
    refresh()
    terminal.print(LiveView(width: 200, hasColour: false).plainLine(status))
  }

  private func redraw() {
    guard let terminal else { return }
    refresh()
    terminal.redraw(LiveView(width: terminal.width, hasColour: terminal.hasColour).lines(status))
  }

  private func refresh() {
    status.elapsedSeconds = Double(LoopMeasures.now() - began) / 1_000_000
    let joining = max(1, Int((Double(plan.bots) / plan.joinsPerSecond).rounded(.up)))
    let after = plan.durationSeconds + Self.quietSeconds + 1
    switch phase {
    case .joining:
      status.phase = .joining
      status.totalSeconds = Double(max(joining + 1, second) + Self.settleSeconds + after)
    case .settling(let until):
      status.phase = .joining
      status.totalSeconds = Double(until + after)
    case .steady(let until):
      status.phase = .running
      status.totalSeconds = Double(until + Self.quietSeconds + 1)
    case .quiet(let until):
      status.phase = .leaving
      status.totalSeconds = Double(until + 1)
    case .leaving, .done:
      status.phase = .leaving
      status.totalSeconds = status.elapsedSeconds
    }
  }
}
