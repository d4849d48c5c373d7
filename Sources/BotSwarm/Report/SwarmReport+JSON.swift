extension SwarmReport {
  /// The report as `--json` writes it. The keys are stable and documented in `docs/botswarm.md`; a unit stands last in
  /// a key.
  package var json: JSON {
    let verdict = self.verdict
    return .object([
      ("format", .integer(1)),
      ("verdict", .string(verdict.outcome.rawValue)),
      ("swarmLimit", verdict.swarmLimit.map { .string($0) } ?? .null),
      ("interrupted", .bool(wasInterrupted)),
      ("checks", .array(verdict.checks.map(Self.json))),
      ("setting", settingJSON),
      ("frames", framesJSON),
      ("latency", .object(distributions.map { ($0.name, Self.json($0.distribution)) })),
      ("bytes", bytesJSON),
      ("events", eventsJSON),
      ("notes", .array(totals.notes.map { .string($0) })),
      ("faults", .object(totals.faults.named.map { (Self.key($0.name), .integer($0.count)) })),
      ("connections", connectionsJSON),
      ("hostile", hostileJSON), ("comparison", comparisonJSON), ("windows", windowsJSON), ("census", censusJSON),
      ("residentMovement", .optional(residentMovement)),
      ("server", processJSON(serverPeakResidentBytes, serverCores, \.server)),
      ("swarm", processJSON(swarmPeakResidentBytes, swarmCores, \.swarm)),
      ("loopBusy", .optional(loopBusy)), ("machineBusy", .optional(machineBusy)),
      ("steadySeconds", .array([.integer(steadySeconds.lowerBound), .integer(steadySeconds.upperBound)])),
      ("seconds", .array(seconds.map(Self.json))),
    ])
  }

  private var distributions: [(name: String, distribution: Distribution)] {
    [
      ("frame", totals.frameLatency), ("intervalJitter", totals.intervalJitter),
      ("acknowledgement", totals.acknowledgement), ("join", totals.joinTime), ("inputLateness", totals.inputLateness),
    ]
  }

  private static func json(_ check: Check) -> JSON {
    .object([
      ("name", .string(check.name)), ("ok", .bool(check.isOK)), ("value", .string(check.value)),
      ("requirement", .string(check.requirement)),
    ])
  }

  private static func json(_ distribution: Distribution) -> JSON {
    guard let summary = distribution.summary else { return .null }
    return .object([
      ("count", .count(summary.count)), ("meanMicroseconds", .number(summary.meanMicroseconds)),
      ("p50Microseconds", .count(summary.p50Microseconds)), ("p90Microseconds", .count(summary.p90Microseconds)),
      ("p99Microseconds", .count(summary.p99Microseconds)), ("p999Microseconds", .count(summary.p999Microseconds)),
      ("maxMicroseconds", .count(summary.maxMicroseconds)),
    ])
  }

  private var settingJSON: JSON {
    .object([
      ("target", .string(setting.target)), ("roomKind", .string(setting.roomKind)),
      ("roomPrefix", .string(setting.roomPrefix)), ("bots", .integer(setting.bots)),
      ("roomSize", .integer(setting.roomSize)), ("rooms", .integer(setting.rooms)),
      ("tickRate", .integer(setting.tickRate)), ("inputRate", .number(setting.inputRate)),
      ("eventIntervalSeconds", .number(setting.eventIntervalSeconds)), ("mix", .string(setting.mix)),
      // A string, because a seed uses all 64 bits and JSON numbers lose some.
      ("seed", .string(String(setting.seed))), ("durationSeconds", .integer(setting.durationSeconds)),
      ("joinRate", .number(setting.joinRate)), ("loops", .integer(setting.loops)),
      ("decode", .string(setting.decode)), ("returns", .bool(setting.returns)),
      ("serverPID", .optional(setting.serverPID.map { Int($0) })),
    ])
  }

  private var framesJSON: JSON {
    let rates = self.rates
    return .object([
      ("received", .count(totals.framesReceived)), ("keyframes", .count(totals.keyframesReceived)),
      ("skips", .count(totals.skips)), ("deliveredPerSecond", .optional(deliveredPerSecond)),
      ("perBotMin", .optional(rates?.min)), ("perBotP1", .optional(rates?.p1)), ("perBotP50", .optional(rates?.p50)),
      ("perBotMax", .optional(rates?.max)), ("perBotMean", .optional(rates?.mean)),
      ("hashesCompared", .count(totals.hashesCompared)), ("shared", .count(totals.framesShared)),
      ("unchecked", .count(totals.framesUnchecked)), ("overdue", .count(totals.framesOverdue)),
      ("longestGapP50Microseconds", .optional(gaps?.p50Microseconds)),
      ("longestGapP99Microseconds", .optional(gaps?.p99Microseconds)),
      ("longestGapMaxMicroseconds", .optional(gaps?.maxMicroseconds)),
    ])
  }

  private var bytesJSON: JSON {
    .object([
      ("received", .count(totals.bytesReceived)), ("sent", .count(totals.bytesSent)),
      ("receivedPerSecond", .optional(receivedBytesPerSecond)), ("sentPerSecond", .optional(sentBytesPerSecond)),
      ("perFrame", .optional(totals.bytesPerFrame)), ("perEntityUpdate", .optional(totals.bytesPerEntityUpdate)),
      ("entityUpdates", .count(totals.entityUpdates)),
      ("byPart", totals.frameBytes.map { BytesTable($0).json } ?? .null),
    ])
  }

  private var eventsJSON: JSON {
    .object([
      ("raised", .count(totals.eventsRaised)), ("checked", .count(totals.eventsChecked)),
      ("whispersChecked", .count(totals.whispersChecked)), ("callsMade", .count(totals.callsMade)),
      ("callsAnswered", .count(totals.callsAnswered)), ("inputsSent", .count(totals.inputsSent)),
      ("inputsHeldBack", .count(totals.inputsHeldBack)),
    ])
  }

  private var connectionsJSON: JSON {
    return .object([
      ("joined", .integer(totals.joined)), ("leftInOrder", .integer(totals.leftInOrder)),
      ("disconnects", Self.json(totals.disconnects)), ("connectFailures", Self.json(totals.connectFailures)),
      ("joinRefusals", Self.json(totals.joinRefusals)), ("lost", Self.json(totals.lostConnections)),
      ("reconnects", .integer(totals.reconnects)), ("resumes", .integer(totals.resumes)),
      ("sessionsLost", .integer(totals.sessionsLost)),
      ("longestAwayMicroseconds", .count(totals.longestAwayMicroseconds)),
      ("socketsLeftOpen", .integer(totals.socketsLeftOpen)),
    ])
  }

  private func processJSON(_ peak: Int?, _ cores: Double?, _ sample: KeyPath<SecondSample, ProcessSample?>) -> JSON {
    guard let peak else { return .null }
    let last = seconds.last { $0[keyPath: sample] != nil }?[keyPath: sample]
    return .object([
      ("peakResidentBytes", .integer(peak)), ("meanCores", .optional(cores)),
      ("lastResidentBytes", .optional(last?.residentBytes)), ("lastDescriptors", .optional(last?.descriptors)),
      ("threads", .optional(last?.threads)),
    ])
  }

  private static func json(_ sample: SecondSample) -> JSON {
    .object([
      ("second", .integer(sample.second)), ("connected", .integer(sample.connected)),
      ("joined", .integer(sample.joined)), ("joins", .integer(sample.joins)), ("frames", .integer(sample.frames)),
      ("framesMin", .optional(sample.framesMin)), ("framesP50", .optional(sample.framesP50)),
      ("bytesReceived", .integer(sample.bytesReceived)), ("bytesSent", .integer(sample.bytesSent)),
      ("latencyP50Microseconds", .optional(sample.latencyP50Microseconds)),
      ("latencyP99Microseconds", .optional(sample.latencyP99Microseconds)),
      ("latencyMaxMicroseconds", .optional(sample.latencyMaxMicroseconds)),
      ("loopBusy", .number(sample.loopBusy)), ("machineBusy", .optional(sample.machineBusy)),
      ("faults", .integer(sample.faults)),
      ("serverResidentBytes", .optional(sample.server?.residentBytes)),
      ("serverCores", .optional(sample.server?.cores)),
      ("serverDescriptors", .optional(sample.server?.descriptors)),
      ("swarmResidentBytes", .optional(sample.swarm?.residentBytes)), ("swarmCores", .optional(sample.swarm?.cores)),
    ])
  }

  /// `events out of order` as `eventsOutOfOrder`.
  private static func key(_ name: String) -> String {
    let words = name.split(separator: " ")
    return words.enumerated().map { index, word in
      index == 0 ? String(word) : word.prefix(1).uppercased() + word.dropFirst()
    }.joined()
  }
}
