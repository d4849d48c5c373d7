/// What the terminal shows of a run.
extension SwarmRun {
  func update(_ sample: LoopSample, _ point: SecondSample) {
    status.setting = report.setting
    status.connected = sample.connected
    status.joined = sample.joined
    status.lost = sample.lost
    status.faults = sample.faults
    status.last = point
    status.rates.append(point.framesP50 ?? 0)
    printLine()
  }

  /// One line, where nothing can be redrawn.
  func printLine() {
    guard let terminal, !terminal.isInteractive else { return }
    refresh()
    terminal.print(LiveView(width: 200, hasColour: false).plainLine(status))
  }

  func redraw() {
    guard let terminal else { return }
    refresh()
    terminal.redraw(LiveView(width: terminal.width, hasColour: terminal.hasColour).lines(status))
  }

  private func refresh() {
    status.elapsedSeconds = Double(LoopMeasures.now() - began) / 1_000_000
    let joining = max(1, Int((Double(plan.bots) / plan.joinsPerSecond).rounded(.up)))
    let after = windowSeconds(repeatsLeft) + Self.quietSeconds + 1
    let between = plan.hostile == nil ? 0 : Self.mixSeconds + plan.durationSeconds
    switch phase {
    case .joining:
      show(.joining, until: max(joining + 1, second) + Self.settleSeconds + after)
    case .settling(let until): show(.joining, until: until + after)
    case .baseline(let until) where repeatsLeft > 0: show(.baseline, until: until + between + rest)
    case .baseline(let until): show(.baseline, until: until + Self.quietSeconds + 1)
    case .mixing(let until): show(.mixing, until: until + plan.durationSeconds + rest)
    case .steady(let until): show(.running, until: max(until, second) + rest)
    case .resting(let until): show(.mixing, until: until + after)
    case .quiet(let until): show(.leaving, until: until + 1)
    case .census(let since): show(.census, until: since + plan.censusSeconds)
    case .leaving, .done: show(.leaving, until: Int(status.elapsedSeconds))
    }
  }

  private func show(_ phase: LiveStatus.Phase, until end: Int) {
    status.phase = phase
    status.totalSeconds = max(status.elapsedSeconds, Double(end))
  }

  /// What follows the window under way.
  private var rest: Int {
    let others = repeatsLeft > 1 ? Self.restSeconds + windowSeconds(repeatsLeft - 1) : closingSeconds
    return others + Self.quietSeconds + 1
  }

  private func windowSeconds(_ count: Int) -> Int {
    guard let hostile = plan.hostile else { return plan.durationSeconds }
    let pair = (hostile.baselineSeconds ?? 0) + Self.mixSeconds + plan.durationSeconds
    return count * pair + max(0, count - 1) * Self.restSeconds + closingSeconds
  }

  /// The window without the mix after all others.
  private var closingSeconds: Int { plan.hostile?.baselineSeconds.map { Self.restSeconds + $0 } ?? 0 }
}
