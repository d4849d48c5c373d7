/// What the hostile bots of a run are to do.
package struct HostilePlan: Hashable, Sendable {
  package var mix: HostileMix
  /// Joins and leaves that each `hop` bot makes; the run waits for them. Nil: as many as the run lasts.
  package var hops: Int?
  /// Joins a second of a `hop` bot, less than the server allows.
  package var hopRate = 4.0
  /// Connections that the `churn` bots make and drop together; the run waits for them. Nil: as many as the run lasts.
  package var cycles: Int?
  /// Seconds without the mix that are measured before each window with it; nil compares nothing.
  package var baselineSeconds: Int?
  /// How often both windows are measured.
  package var repeats = 1
  package var limits = ServerLimits()

  package init(_ mix: HostileMix) { self.mix = mix }

  /// What the server under test is configured with: by when it must have ended whom. The defaults are the server's.
  package struct ServerLimits: Hashable, Sendable {
    package var handshakeSeconds = 5.0
    package var idleSeconds = 30.0
    package var stallSeconds = 5.0
    package var lagSeconds = 15.0
    /// `sendBuffer`, as configured.
    package var sendBufferBytes = 64 * 1024

    package init() {}
  }

  /// Bots of a behaviour; 0 when the mix has none.
  package func bots(_ kind: HostileKind) -> Int { mix.counts.first { $0.kind == kind }?.count ?? 0 }

  /// The longest the run is extended for that work, in seconds: a hop takes two ticks at the least, a cycle one and a
  /// pause.
  package var patienceSeconds: Int {
    Int(Double(hops ?? 0) / min(hopRate, 10) * 2) + (cycles ?? 0) / 2 / max(1, bots(.churn)) + 60
  }

  func validate() throws(PlanError) {
    func check(_ name: String, _ value: Int?, _ allowed: ClosedRange<Int>) throws(PlanError) {
      if let value, !allowed.contains(value) {
        throw PlanError("\(name) is \(allowed.lowerBound) to \(allowed.upperBound), not \(value)")
      }
    }
    try check("--hops", hops, 1...1_000_000)
    guard (0.1...1_000).contains(hopRate) else {
      throw PlanError("--hop-rate is 0.1 to 1000 a second, not \(Format.decimal(hopRate, places: 2))")
    }
    try check("--cycles", cycles, 1...1_000_000)
    try check("--baseline (seconds)", baselineSeconds, 1...3_600)
    try check("--repeat", repeats, 1...100)
    if hops != nil, bots(.hop) == 0 { throw PlanError("--hops: the mix has no hop bots; add hop=1 to --hostile") }
    if cycles != nil, bots(.churn) == 0 {
      throw PlanError("--cycles: the mix has no churn bots; add churn=25 to --hostile")
    }
    if repeats > 1, baselineSeconds == nil {
      throw PlanError("--repeat \(repeats): only a comparison is repeated; give --baseline as well")
    }
  }
}
