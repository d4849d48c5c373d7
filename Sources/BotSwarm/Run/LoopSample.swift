/// One second of one loop, on its way to the run.
struct LoopSample: Sendable {
  let second: Int
  var loop = 0
  var connected = 0
  var joined = 0
  var joins = 0
  var frames = 0
  var bytesReceived = 0
  var bytesSent = 0
  /// Bots that have joined or never will.
  var settled = 0
  var tickRate = 0
  var latency = Distribution()
  /// Frames a second of each bot that was joined all the time.
  var frameRates: [Float] = []
  var faults = FaultCounts()
  /// Ended before the bot wanted.
  var lost = 0
  var loopBusy = 0.0

  init(second: Int) { self.second = second }

  mutating func add(_ other: LoopSample) {
    connected += other.connected
    joined += other.joined
    joins += other.joins
    frames += other.frames
    bytesReceived += other.bytesReceived
    bytesSent += other.bytesSent
    settled += other.settled
    tickRate = max(tickRate, other.tickRate)
    latency.add(other.latency)
    frameRates += other.frameRates
    faults = faults + other.faults
    lost += other.lost
    loopBusy = max(loopBusy, other.loopBusy)
  }

  /// As a point of the charts.
  func point(server: ProcessSample?, swarm: ProcessSample?) -> SecondSample {
    var point = SecondSample(second: second)
    point.connected = connected
    point.joined = joined
    point.joins = joins
    point.frames = frames
    point.bytesReceived = bytesReceived
    point.bytesSent = bytesSent
    let rates = RateSummary(frameRates.map(Double.init))
    point.framesMin = rates?.min
    point.framesP50 = rates?.p50
    let summary = latency.summary
    point.latencyP50Microseconds = summary?.p50Microseconds
    point.latencyP99Microseconds = summary?.p99Microseconds
    point.latencyMaxMicroseconds = summary?.maxMicroseconds
    point.loopBusy = loopBusy
    point.faults = faults.total + lost
    point.server = server
    point.swarm = swarm
    return point
  }
}
