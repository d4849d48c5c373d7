import ArgumentParser
import BotSwarm

/// Thresholds: a run that misses one has failed.
struct DemandOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Frames a second that the worst bot must get, as in 29.5.", valueName: "fps"))
  var minFps: Double?

  @Option(help: ArgumentHelp("Largest frame latency at the 99th percentile, as in 50ms.", valueName: "time"))
  var maxP99Latency: String?

  @Option(
    help: ArgumentHelp("Longest time that any bot may be without a frame, as in 500ms.", valueName: "time"))
  var maxFrameGap: String?

  @Option(help: "Most connections that may be lost, though their bots come back; 0 for none.")
  var maxLostConnections: Int?

  @Option(
    help: ArgumentHelp("Largest resident memory of the server, as in 60MiB; needs --server-pid.", valueName: "size"))
  var maxServerRss: String?

  @Option(help: ArgumentHelp("Most bytes a moving entity and tick, as in 8.", valueName: "bytes"))
  var maxBytesPerEntity: Double?

  @Option(
    help: ArgumentHelp(
      "Largest p99 frame latency with the hostile mix by that without it, as in 1.1; needs --baseline.",
      valueName: "ratio"))
  var maxP99Ratio: Double?

  @Option(
    help: ArgumentHelp(
      "Most that the server's resident memory moves in the last 30 s, as in 2%; needs --server-pid.",
      valueName: "share"))
  var maxRssGrowth: String?

  @Option(
    help: ArgumentHelp(
      "Most that it is above that before the run once all have left, as in 20%; needs --server-pid or --admin.",
      valueName: "share"))
  var maxRssAfter: String?

  func apply(to plan: inout SwarmPlan) throws {
    plan.thresholds.minFramesPerSecond = minFps
    plan.thresholds.maxBytesPerEntityUpdate = maxBytesPerEntity
    plan.thresholds.maxP99Ratio = maxP99Ratio
    plan.thresholds.maxResidentMovement = try share("--max-rss-growth", maxRssGrowth)
    plan.thresholds.maxResidentGrowth = try share("--max-rss-after", maxRssAfter)
    plan.thresholds.maxP99LatencyMicroseconds = try time("--max-p99-latency", maxP99Latency)
    plan.thresholds.maxFrameGapMicroseconds = try time("--max-frame-gap", maxFrameGap)
    if let maxLostConnections, maxLostConnections < 0 {
      throw ValidationError("--max-lost-connections \(maxLostConnections): 0 or more")
    }
    plan.thresholds.maxLostConnections = maxLostConnections
    do {
      plan.thresholds.maxServerResidentBytes = try maxServerRss.map { try Quantity.bytes($0) }
    } catch {
      throw ValidationError("--max-server-rss: \(error)")
    }
  }

  private func time(_ option: String, _ text: String?) throws -> UInt64? {
    guard let text else { return nil }
    do {
      return try Quantity.microseconds(text)
    } catch {
      throw ValidationError("\(option): \(error)")
    }
  }

  private func share(_ option: String, _ text: String?) throws -> Double? {
    guard let text else { return nil }
    do {
      return try Quantity.share(text)
    } catch {
      throw ValidationError("\(option): \(error)")
    }
  }
}
