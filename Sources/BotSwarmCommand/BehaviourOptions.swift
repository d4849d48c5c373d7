import ArgumentParser
import BotSwarm

/// How bots move and talk.
struct BehaviourOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Seconds of the steady window, when all have joined.", valueName: "seconds"))
  var duration = 10

  @Option(help: ArgumentHelp("Inputs a second and bot; 0 for none.", valueName: "hertz"))
  var inputRate = 10.0

  @Option(help: ArgumentHelp("How they move: walk, wander, burst, idle, with weights.", valueName: "mix"))
  var mix = "walk=1"

  @Option(
    help: ArgumentHelp(
      "Time between two reliable events of a bot, or off (default: so that a room has about five a second)",
      valueName: "time"))
  var eventInterval: String?

  @Option(help: "Makes the movement repeatable.")
  var seed: UInt64 = 1

  @Option(
    help:
      "full: every bot decodes; shared: equal bytes after equal state are decoded once; auto: by the number of bots.")
  var decode = SwarmPlan.Decode.auto

  @Flag(inversion: .prefixedNo, help: "Bots that lose their connection go back to their seats, as players do.")
  var reconnect = true

  func apply(to plan: inout SwarmPlan) throws {
    plan.durationSeconds = duration
    plan.inputRate = inputRate
    plan.mix = try MovementMix(mix)
    plan.seed = seed
    plan.decode = decode
    plan.returns = reconnect
    plan.eventIntervalSeconds = SwarmPlan.sensibleEventInterval(roomSize: plan.roomSize)
    guard let eventInterval else { return }
    do {
      plan.eventIntervalSeconds = eventInterval == "off" ? 0 : Double(try Quantity.microseconds(eventInterval)) / 1e6
    } catch {
      throw ValidationError("--event-interval: \(error.description), or off")
    }
    guard eventInterval == "off" || plan.eventIntervalSeconds >= 0.01 else {
      throw ValidationError("--event-interval \(eventInterval): at least 10ms, or off")
    }
  }
}

extension SwarmPlan.Decode: ExpressibleByArgument {}
