import ArgumentParser
import BotSwarm

/// Thresholds: a run that misses one has failed.
struct DemandOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Frames a second that the worst bot must get, as in 29.5.", valueName: "fps"))
  var minFps: Double?

  @Option(help: ArgumentHelp("Largest frame latency at the 99th percentile, as in 50ms.", valueName: "time"))
  var maxP99Latency: String?

  @Option(
    help: ArgumentHelp("Largest resident memory of the server, as in 60MiB; needs --server-pid.", valueName: "size"))
  var maxServerRss: String?

  @Option(help: ArgumentHelp("Most bytes a moving entity and tick, as in 8.", valueName: "bytes"))
  var maxBytesPerEntity: Double?

  func apply(to plan: inout SwarmPlan) throws {
    plan.thresholds.minFramesPerSecond = minFps
    plan.thresholds.maxBytesPerEntityUpdate = maxBytesPerEntity
    do {
      plan.thresholds.maxP99LatencyMicroseconds = try maxP99Latency.map { try Quantity.microseconds($0) }
    } catch {
      throw ValidationError("--max-p99-latency: \(error)")
    }
    do {
      plan.thresholds.maxServerResidentBytes = try maxServerRss.map { try Quantity.bytes($0) }
    } catch {
      throw ValidationError("--max-server-rss: \(error)")
    }
  }
}
