import EventLoop

/// The hostile bots of a run, and the census after it.
extension SwarmRun {
  func startHostile(_ loop: Loop) throws {
    guard let hostilePlan = plan.hostile else { return }
    let inbox = try Mailbox<HostileLoop.Notice>(loop: loop) { [unowned self] notice in
      switch notice {
      case .sampled(let sample): status.hostile = sample
      case .finished(let last):
        status.hostile = last
        report.hostile = last
        stopWhenFinished()
      }
    }
    let plan = self.plan
    let started = try LoopThread.start(name: "hostile") { loop in
      yieldToOtherThreads()
      let bots = try HostileLoop(plan: plan, hostile: hostilePlan, loop: loop) { notice in inbox.post(notice) }
      return try Mailbox<HostileLoop.Command>(loop: loop) { command in bots.handle(command) }
    }
    hostile = (started.thread, started.value)
  }

  // MARK: Census

  /// Counts what the server holds before anybody comes.
  func beginCensus() throws {
    if let admin = plan.admin {
      report.census = Census(before: Census.Point(try LedgerRequest.wait(for: admin)))
    } else if plan.hostile != nil, let sample = server?.sample(atMicroseconds: LoopMeasures.now()) {
      report.census = Census(before: Census.Point(sample))
    }
  }

  /// Asks once a second until the server has given everything back, or time is up.
  func takeCensus(since: Int) {
    guard !censusUnderWay else { return }
    printLine()
    report.census?.waitedSeconds = second - since
    guard let admin = plan.admin, let loop else {
      let sample = server?.sample(atMicroseconds: LoopMeasures.now())
      if sample == nil { report.census?.error = "the server's process is gone" }
      return settleCensus(sample.map { Census.Point($0) }, since)
    }
    censusUnderWay = true
    do throws(LoopError) {
      try LedgerRequest.send(to: admin, on: loop) { [unowned self] result in
        censusUnderWay = false
        switch result {
        case .success(let ledger): settleCensus(Census.Point(ledger), since)
        case .failure(let error):
          report.census?.error = error.description
          settleCensus(nil, since)
        }
      }
    } catch {
      report.census?.error = "\(error)"
      finishCensus()
    }
  }

  private func settleCensus(_ point: Census.Point?, _ since: Int) {
    if let point { report.census?.after = point }
    if report.census?.isSettled == true || second >= since + plan.censusSeconds { finishCensus() }
  }
}
