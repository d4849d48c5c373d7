/// What a swarm is to do; checked by ``validate()`` before a socket is opened.
package struct SwarmPlan: Sendable {
  package enum Decode: String, Sendable, CaseIterable {
    /// Every bot decodes every frame into a mirror of its own.
    case full
    /// Bots whose state is known to be equal compare bytes, and decode once a room.
    case shared
    /// `full` up to ``fullDecodeBots`` bots and ``fullDecodeEntities`` entities a loop, then `shared`.
    case auto
  }

  /// Up to here a loop of the swarm decodes everything at 30 Hz with rooms of 100 and has time to spare; measured, see
  /// `docs/botswarm.md`.
  package static let fullDecodeBots = 1_000
  /// Entities that a loop's bots decode in a tick, one for each two bots of a room.
  package static let fullDecodeEntities = 100_000

  package var host = "127.0.0.1"
  package var port: UInt16 = 7777
  package var token: [UInt8]?
  package var bots = 100
  package var roomSize = 50
  package var roomKind = "arena"
  package var roomPrefix = "swarm"
  /// Inputs a second and bot; 0 for none.
  package var inputRate = 10.0
  /// Seconds between two reliable events of a bot; 0 for none.
  package var eventIntervalSeconds = 0.0
  package var mix = MovementMix.walking
  package var seed: UInt64 = 1
  /// Of the steady window.
  package var durationSeconds = 10
  package var joinsPerSecond = 500.0
  package var loops = 1
  package var decode = Decode.auto
  /// One bot a room counts what the parts of its frames take.
  package var measuresBytes = false
  /// Where to connect from, instead of what the system chooses.
  package var localAddress: String?
  package var serverPID: Int32?
  /// Bots that lose their connection go back to their seats, as players' clients do.
  package var returns = true
  package var thresholds = Thresholds()
  package var hostile: HostilePlan?
  /// Where the server tells its ledger, for the census.
  package var admin: Endpoint?
  /// How long the census waits for the server to have given everything back: rooms linger, seats wait for players.
  package var censusSeconds = 60

  package init() {}

  package var rooms: Int { (bots + roomSize - 1) / roomSize }

  package var sharesDecoding: Bool {
    switch decode {
    case .full: false
    case .shared: true
    // Each bot's frame has each bot of its room.
    case .auto: bots > Self.fullDecodeBots * loops || bots * min(bots, roomSize) > Self.fullDecodeEntities * loops
    }
  }

  /// Bots of a room raise about five reliable events a second together, and no bot more than one in two seconds.
  package static func sensibleEventInterval(roomSize: Int) -> Double { max(2, Double(roomSize) / 5) }

  var setting: RunSetting {
    var setting = RunSetting()
    setting.target = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    setting.roomKind = roomKind
    setting.roomPrefix = roomPrefix
    setting.bots = bots
    setting.roomSize = roomSize
    setting.inputRate = inputRate
    setting.eventIntervalSeconds = eventIntervalSeconds
    setting.mix = mix.description
    setting.seed = seed
    setting.durationSeconds = durationSeconds
    setting.joinRate = joinsPerSecond
    setting.loops = loops
    setting.decode = sharesDecoding ? "shared" : "full"
    setting.serverPID = serverPID
    setting.hostile = hostile
    setting.returns = returns
    return setting
  }

  /// - Parameter descriptorLimit: How many descriptors the process may have.
  package func validate(descriptorLimit: Int) throws(PlanError) {
    try check("--bots", Double(bots), 1...1_000_000)
    try check("--room-size", Double(roomSize), 1...65_536)
    try check("--input-rate", inputRate, 0...240)
    try check("--event-interval (seconds)", eventIntervalSeconds, 0...3_600)
    try check("--duration (seconds)", Double(durationSeconds), 1...86_400)
    try check("--join-rate", joinsPerSecond, 1...100_000)
    try check("--loops", Double(loops), 1...64)
    try checkThresholds()
    guard rooms >= loops else {
      throw PlanError("--loops \(loops): there are only \(rooms) rooms, and a room lives on one loop: use fewer loops")
    }
    try hostile?.validate()
    // Beside the sockets (some hostile bots have two): standard streams, a few handles a loop, what is read from /proc.
    let needed = bots + 2 * (hostile?.mix.bots ?? 0) + 64 + loops * 8
    guard needed <= descriptorLimit else {
      throw PlanError(
        "--bots \(bots)\(hostile.map { " and --hostile \($0.mix)" } ?? "") needs \(needed) descriptors and the limit is \(descriptorLimit): raise it (ulimit -n), or run several "
          + "swarms with fewer bots and a --room-prefix and --local-address each")
    }
  }

  private func checkThresholds() throws(PlanError) {
    if thresholds.maxResidentMovement != nil, durationSeconds < SwarmReport.flatSeconds {
      throw PlanError(
        "--max-rss-growth looks at the last \(SwarmReport.flatSeconds) s: --duration is at least that, not "
          + "\(durationSeconds)")
    }
    if thresholds.maxP99Ratio != nil, hostile?.baselineSeconds == nil {
      throw PlanError("--max-p99-ratio compares with and without hostile bots: give --hostile and --baseline")
    }
    if thresholds.maxResidentMovement != nil, serverPID == nil {
      throw PlanError("--max-rss-growth needs the server's memory: give --server-pid")
    }
    if thresholds.maxResidentGrowth != nil, serverPID == nil, admin == nil {
      throw PlanError("--max-rss-after needs the server's memory: give --server-pid or --admin")
    }
  }

  private func check(_ name: String, _ value: Double, _ allowed: ClosedRange<Double>) throws(PlanError) {
    guard allowed.contains(value) else {
      let bounds =
        "\(Format.decimal(allowed.lowerBound, places: 0)) to \(Format.decimal(allowed.upperBound, places: 0))"
      throw PlanError("\(name) is \(bounds), not \(Format.decimal(value, places: 2))")
    }
  }
}

/// Why a plan can't be run: the option, its value, what is allowed.
package struct PlanError: Error, Equatable, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}
