@testable import BotSwarm

/// A run that went well, made up: 100 bots, five seconds of joining, twenty of running, one of leaving.
func syntheticReport() -> SwarmReport {
  var setting = RunSetting()
  setting.target = "127.0.0.1:7000"
  setting.roomKind = "relay"
  setting.roomPrefix = "swarm"
  setting.bots = 100
  setting.roomSize = 50
  setting.inputRate = 30
  setting.eventIntervalSeconds = 1
  setting.mix = "walk=80,idle=20"
  setting.seed = 7
  setting.durationSeconds = 20
  setting.joinRate = 500
  setting.decode = "full"
  setting.tickRate = 30
  var report = SwarmReport(setting: setting)
  var random = SplitMix64(seed: 7)
  for second in 1...26 {
    var sample = SecondSample(second: second)
    sample.joined = min(100, second * 20)
    sample.connected = min(100, second * 21)
    sample.joins = second <= 5 ? 20 : 0
    sample.frames = sample.joined * 30
    sample.bytesReceived = sample.frames * 420
    sample.bytesSent = sample.joined * 30 * 24
    sample.framesMin = 29
    sample.framesP50 = 30
    sample.latencyP50Microseconds = 900 + random.next() % 300
    sample.latencyP99Microseconds = 3_000 + random.next() % 2_500
    sample.latencyMaxMicroseconds = 6_000 + random.next() % 9_000
    sample.loopBusy = 0.4
    sample.server = ProcessSample(
      residentBytes: 20_000_000 + second * 100_000, cores: 0.3, descriptors: 112, threads: 4)
    sample.swarm = ProcessSample(residentBytes: 40_000_000, cores: 0.42, descriptors: 110, threads: 3)
    report.seconds.append(sample)
  }
  report.windows = [MeasuredWindow(.steady, seconds: 5..<25)]
  report.totals = syntheticTotals(&random)
  return report
}

private func syntheticTotals(_ random: inout SplitMix64) -> SwarmTotals {
  var totals = SwarmTotals()
  totals.joined = 100
  totals.leftInOrder = 100
  totals.framesReceived = 60_100
  totals.keyframesReceived = 100
  totals.deltaFrameBytes = 60_000 * 420
  totals.entityUpdates = 60_000 * 50
  totals.hashesCompared = 58_000
  totals.eventsRaised = 2_000
  totals.eventsChecked = 98_000
  totals.ratesPerSecond = (0..<100).map { 29.9 + Double($0) * 0.001 }
  for _ in 0..<60_000 {
    totals.frameLatency.record(microseconds: 400 + random.next() % 900 + (random.next() % 100 == 0 ? 4_000 : 0))
  }
  totals.joinTime.record(microseconds: 12_000)
  return totals
}
