import ArgumentParser
import BotSwarm
import Glibc

@main
struct BotSwarmCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "botswarm",
    abstract: "Fills a TickServer with bots and checks every frame they get.",
    discussion: """
      Bots join rooms, move, raise events, and compare what they get with each other: gaps, order, state, \
      reliable events. The summary ends with a verdict.

      Exit codes: 0 ok, 1 a check failed, 2 the swarm could not run, 3 only timing fell short and the swarm \
      itself was too slow to tell why, 64 wrong usage.

      Examples:
        botswarm --target 127.0.0.1:7777 --bots 100 --room-size 20
        botswarm --bots 1000 --room-size 100 --html report.html
        botswarm --min-fps 29.5 --max-p99-latency 50ms
        botswarm --server-pid $(pidof tickserver) --max-server-rss 60MiB
        botswarm --bots 500 --hostile stalled=50,all=50 --baseline 20s --repeat 3 --max-p99-ratio 1.1
      """)

  @OptionGroup(title: "Who plays where") var crowd: CrowdOptions
  @OptionGroup(title: "What they do") var behaviour: BehaviourOptions
  @OptionGroup(title: "Bots that misbehave") var hostile: HostileOptions
  @OptionGroup(title: "What is asked for") var demands: DemandOptions
  @OptionGroup(title: "Reports") var output: OutputOptions

  mutating func run() throws {
    // Without /proc a Swift program sees no arguments: 1,000 bots would go to the default target.
    guard !CommandLine.arguments.isEmpty else {
      printError(
        "botswarm: /proc is not there: the program cannot see its arguments. Mount it (mount -t proc proc /proc)")
      throw ExitCode(2)
    }
    var plan = SwarmPlan()
    do {
      try crowd.apply(to: &plan)
      try behaviour.apply(to: &plan)
      try hostile.apply(to: &plan)
      try demands.apply(to: &plan)
      plan.serverPID = output.serverPID
      plan.measuresBytes = output.bytes
      try plan.validate(descriptorLimit: raiseDescriptorLimit())
      try output.check()
    } catch let error as PlanError {
      throw ValidationError(error.description)
    }
    let report = try start(plan)
    try output.write(report)
    throw ExitCode(report.verdict.exitStatus)
  }

  private func start(_ plan: SwarmPlan) throws -> SwarmReport {
    let terminal = output.quiet ? nil : Terminal()
    defer { terminal?.finish() }
    do {
      return try SwarmRun(plan, terminal: terminal).run()
    } catch {
      terminal?.finish()
      printError("botswarm: \(error)")
      throw ExitCode(2)
    }
  }
}
