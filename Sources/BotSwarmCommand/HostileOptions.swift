import ArgumentParser
import BotSwarm

/// Bots that misbehave, and what the server must do about them.
struct HostileOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Bots that misbehave, beside the others: all=50 spreads them over all ways, never-reads=25,garbage=25 names them. "
        + HostileKind.allCases.map { "\($0.rawValue): \($0.summary)" }.joined(separator: "; ") + ".",
      valueName: "mix"))
  var hostile: String?

  @Option(help: "Joins and leaves of each hop bot on its one connection; the run waits for them.")
  var hops: Int?

  @Option(help: "Joins a second of a hop bot; the server allows 5 (joinsPerSecond).")
  var hopRate = 4.0

  @Option(help: "Connections of all churn bots together; the run waits for them.")
  var cycles: Int?

  @Option(
    help: ArgumentHelp("Measure without the mix first, for this long, to compare, as in 20s.", valueName: "time"))
  var baseline: String?

  @Option(name: .customLong("repeat"), help: "Measure without and with the mix this often; ratios are medians.")
  var repeats = 1

  @Option(help: ArgumentHelp("The server's handshakeDeadline.", valueName: "time"))
  var handshakeDeadline = "5s"

  @Option(help: ArgumentHelp("The server's idleDeadline.", valueName: "time"))
  var idleDeadline = "30s"

  @Option(help: ArgumentHelp("The room's stallDeadline.", valueName: "time"))
  var stallDeadline = "5s"

  @Option(help: ArgumentHelp("The room's lagDeadline.", valueName: "time"))
  var lagDeadline = "15s"

  @Option(help: ArgumentHelp("The server's sendBuffer.", valueName: "size"))
  var sendBuffer = "64KiB"

  @Option(
    help: ArgumentHelp(
      "The server's admin port: its ledger is read before the run and, until it is empty, after it.",
      valueName: "host:port"))
  var admin: String?

  @Option(help: ArgumentHelp("How long the census waits for that; rooms and seats linger.", valueName: "time"))
  var censusWithin = "60s"

  func apply(to plan: inout SwarmPlan) throws {
    if let admin {
      guard let endpoint = Endpoint(admin) else {
        throw ValidationError("--admin \"\(admin)\": give host:port, as in 127.0.0.1:7778")
      }
      plan.admin = endpoint
    }
    plan.censusSeconds = max(1, Int(try seconds("--census-within", censusWithin).rounded(.up)))
    guard let hostile else {
      for (name, isGiven) in [("--hops", hops != nil), ("--cycles", cycles != nil), ("--baseline", baseline != nil)]
      where isGiven { throw ValidationError("\(name) needs bots that misbehave: give --hostile") }
      return
    }
    var mix = HostilePlan(try HostileMix(hostile))
    mix.hops = hops
    mix.hopRate = hopRate
    mix.cycles = cycles
    mix.baselineSeconds = try baseline.map { max(1, Int(try seconds("--baseline", $0).rounded(.up))) }
    mix.repeats = repeats
    mix.limits.handshakeSeconds = try seconds("--handshake-deadline", handshakeDeadline)
    mix.limits.idleSeconds = try seconds("--idle-deadline", idleDeadline)
    mix.limits.stallSeconds = try seconds("--stall-deadline", stallDeadline)
    mix.limits.lagSeconds = try seconds("--lag-deadline", lagDeadline)
    do {
      mix.limits.sendBufferBytes = Int(clamping: try Quantity.bytes(sendBuffer))
    } catch {
      throw ValidationError("--send-buffer: \(error)")
    }
    plan.hostile = mix
  }

  private func seconds(_ option: String, _ text: String) throws -> Double {
    do {
      return Double(try Quantity.microseconds(text)) / 1_000_000
    } catch {
      throw ValidationError("\(option): \(error)")
    }
  }
}
