/// All that a run found: what summaries, JSON and the HTML report are made from.
package struct SwarmReport: Sendable {
  package var setting: RunSetting
  package var thresholds = Thresholds()
  package var totals = SwarmTotals()
  package var seconds: [SecondSample] = []
  package var windows: [MeasuredWindow] = []
  /// The hostile bots at the end; nil when there were none.
  package var hostile: HostileStatus?
  package var census: Census?
  /// Ended early by the user.
  package var wasInterrupted = false

  package init(setting: RunSetting) { self.setting = setting }

  /// Of `seconds`, those that lie wholly in the steady window; in the last one where there were several.
  package var steadySeconds: Range<Int> { windows.last { $0.kind == .steady }?.seconds ?? 0..<0 }
  package var steadySamples: [SecondSample] {
    steadyWindows.flatMap { seconds[$0.clamped(to: seconds.indices)] }
  }
  var steadyWindows: [Range<Int>] { windows.filter { $0.kind == .steady }.map(\.seconds) }
  package var rates: RateSummary? { RateSummary(totals.ratesPerSecond) }
  /// The longest time without a frame of each bot, over all bots.
  package var gaps: GapSummary? { GapSummary(totals.gapsMicroseconds) }

  /// Frames a second over all bots, in the steady window.
  package var deliveredPerSecond: Double? { mean { Double($0.frames) } }
  package var receivedBytesPerSecond: Double? { mean { Double($0.bytesReceived) } }
  package var sentBytesPerSecond: Double? { mean { Double($0.bytesSent) } }
  package var loopBusy: Double? { mean(\.loopBusy) }
  package var machineBusy: Double? { mean(\.machineBusy) }
  package var serverCores: Double? { mean { $0.server?.cores } }
  package var swarmCores: Double? { mean { $0.swarm?.cores } }
  /// The largest of the whole run: joining is part of what a container must hold.
  package var serverPeakResidentBytes: Int? { seconds.compactMap { $0.server?.residentBytes }.max() }
  package var swarmPeakResidentBytes: Int? { seconds.compactMap { $0.swarm?.residentBytes }.max() }

  private func mean(_ value: (SecondSample) -> Double?) -> Double? {
    let values = steadySamples.compactMap(value)
    return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }
}

/// What was run, as the report repeats it.
package struct RunSetting: Hashable, Sendable {
  package var target = ""
  package var roomKind = ""
  package var roomPrefix = ""
  package var bots = 0
  package var roomSize = 0
  package var inputRate = 0.0
  package var eventIntervalSeconds = 0.0
  package var mix = ""
  package var seed: UInt64 = 0
  package var durationSeconds = 0
  package var joinRate = 0.0
  package var loops = 1
  package var decode = ""
  /// As the server said; 0 when no bot joined.
  package var tickRate = 0
  package var serverPID: Int32?
  package var hostile: HostilePlan?
  package var returns = true

  package init() {}

  package var rooms: Int { roomSize > 0 ? (bots + roomSize - 1) / roomSize : 0 }
}

/// What the user asks of a run, besides being free of faults.
package struct Thresholds: Hashable, Sendable {
  package var minFramesPerSecond: Double?
  package var maxP99LatencyMicroseconds: UInt64?
  /// Longest time without a frame, of any bot.
  package var maxFrameGapMicroseconds: UInt64?
  /// Connections that may be lost, though their bots come back.
  package var maxLostConnections: Int?
  package var maxServerResidentBytes: UInt64?
  package var maxBytesPerEntityUpdate: Double?
  /// Frame latency at the 99th percentile with the hostile mix by that without.
  package var maxP99Ratio: Double?
  /// Share by which the server's resident memory may move in the last 30 s.
  package var maxResidentMovement: Double?
  /// Share by which it may be larger after the run than before.
  package var maxResidentGrowth: Double?

  package init() {}
}
