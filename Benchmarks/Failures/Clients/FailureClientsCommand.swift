import ArgumentParser
import BotSwarm
import EventLoop
import Foundation
import NaiveProtocol

@main
struct FailureClientsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "FailureClients",
    abstract: "The clients of the two failures, the same for every server. Reports in lines of JSON.",
    subcommands: [CrowdCommand.self, CyclesCommand.self])
}

/// The end of a run: an error's text, where there is one.
private func check(_ failure: RunFailure?) throws {
  guard let failure else { return }
  try? FileHandle.standardError.write(contentsOf: Data("FailureClients: \(failure)\n".utf8))
  throw ExitCode(2)
}

struct CrowdCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "crowd", abstract: "Clients that send updates at a steady rate; some stop reading. A line a second.")

  @OptionGroup var server: ServerOptions
  @Option(help: "How many clients.") var clients = Crowd.Plan().clients
  @Option(help: "Updates a second of each.") var rate = Crowd.Plan().updatesPerSecond
  @Option(help: "How long it lasts, in seconds.") var seconds = Crowd.Plan().seconds
  @Option(help: "How many stop reading for good.") var stalling = Crowd.Plan().stalling
  @Option(help: "... after so many seconds.") var stallAt = Crowd.Plan().stallAtSecond
  @Option(help: "How many stop reading for a while.") var pausing = Crowd.Plan().pausing
  @Option(help: "... after so many seconds.") var pauseAt = Crowd.Plan().pauseAtSecond
  @Option(help: "... for so many milliseconds.") var pauseMilliseconds = Crowd.Plan().pauseMilliseconds

  func validate() throws {
    guard (1...10_000).contains(clients) else { throw ValidationError("--clients is 1 to 10000, not \(clients)") }
    guard (1...1_000).contains(rate) else { throw ValidationError("--rate is 1 to 1000, not \(rate)") }
    guard seconds >= 1 else { throw ValidationError("--seconds is at least 1, not \(seconds)") }
    guard stalling >= 0, pausing >= 0, stalling + pausing <= clients else {
      throw ValidationError("--stalling and --pausing are parts of the \(clients) clients, not \(stalling), \(pausing)")
    }
  }

  func run() throws {
    _ = raiseDescriptorLimit()
    let plan = Crowd.Plan(
      clients: clients, updatesPerSecond: rate, seconds: seconds, stalling: stalling, stallAtSecond: stallAt,
      pausing: pausing, pauseAtSecond: pauseAt, pauseMilliseconds: pauseMilliseconds)
    let loop = try Loop()
    let crowd = try Crowd(loop: loop, plan: plan, server: server)
    loop.run()
    try check(crowd.failure)
  }
}

struct CyclesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cycles", abstract: "Subscribers that stop reading and vanish, again and again. A line a cycle.")

  @OptionGroup var server: ServerOptions
  @Option(help: "How many cycles.") var cycles = Cycles.Plan().cycles
  @Option(help: "Subscribers a cycle.") var subscribers = Cycles.Plan().subscribers
  @Option(help: "Publications a second.") var rate = Cycles.Plan().publicationsPerSecond
  @Option(help: "Bytes of a publication.") var bytes = Cycles.Plan().publicationBytes
  @Option(help: "How long subscribers read nothing before they vanish.")
  var stallMilliseconds = Cycles.Plan().stallMilliseconds
  @Option(help: "Time between two cycles, and before the first.") var restMilliseconds = Cycles.Plan().restMilliseconds
  @Flag(help: "Subscribers half-close and keep their sockets, instead of vanishing.") var halfClose = false

  func validate() throws {
    for (name, value) in [("--cycles", cycles), ("--subscribers", subscribers)] where value < 1 {
      throw ValidationError("\(name) is at least 1, not \(value)")
    }
    guard (1...10_000).contains(rate) else { throw ValidationError("--rate is 1 to 10000, not \(rate)") }
    guard (1...1_024).contains(bytes), bytes != NaiveUpdate.bodyBytes else {
      throw ValidationError("--bytes is 1 to 1024, other than an update's \(NaiveUpdate.bodyBytes), not \(bytes)")
    }
  }

  func run() throws {
    _ = raiseDescriptorLimit()
    let plan = Cycles.Plan(
      cycles: cycles, subscribers: subscribers, publicationsPerSecond: rate, publicationBytes: bytes,
      stallMilliseconds: stallMilliseconds, restMilliseconds: restMilliseconds, areHalfClosing: halfClose)
    let loop = try Loop()
    let run = try Cycles(loop: loop, plan: plan, server: server)
    loop.run()
    try check(run.failure)
  }
}
