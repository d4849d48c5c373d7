import ArgumentParser
import BotSwarm
import Glibc

/// How many bots, and where they go.
struct CrowdOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The server's address.", valueName: "host:port"))
  var target = "127.0.0.1:7777"

  @Option(help: "How many bots; a process has room for about 19,000.")
  var bots = 100

  @Option(help: "Bots a room.")
  var roomSize = 50

  @Option(help: "The room kind to join; its schema is learnt from the server.")
  var roomKind = "arena"

  @Option(
    help: ArgumentHelp(
      "Rooms are called PREFIX-0, PREFIX-1, ... (default: one that no other run has)", valueName: "prefix"))
  var roomPrefix: String?

  @Option(help: "Joins a second.")
  var joinRate = 500.0

  @Option(help: "The token that every bot presents.")
  var token: String?

  @Option(help: ArgumentHelp("Connect from this address.", valueName: "address"))
  var localAddress: String?

  @Option(help: "Threads with bots.")
  var loops = 1

  func apply(to plan: inout SwarmPlan) throws {
    guard let endpoint = Endpoint(target) else {
      throw ValidationError("--target \"\(target)\": give host:port, as in 127.0.0.1:7777 or [::1]:7000")
    }
    plan.host = endpoint.host
    plan.port = endpoint.port
    plan.bots = bots
    plan.roomSize = max(1, roomSize)
    guard roomSize >= 1 else { throw ValidationError("--room-size is 1 to 65536, not \(roomSize)") }
    plan.roomKind = roomKind
    // Two runs against one server must not meet in a room: they would take each other's events for faults.
    plan.roomPrefix = roomPrefix ?? "swarm-" + String(UInt64(time(nil)) << 16 | UInt64(getpid()) & 0xFFFF, radix: 36)
    plan.joinsPerSecond = joinRate
    plan.token = token.map { Array($0.utf8) }
    plan.localAddress = localAddress
    plan.loops = loops
  }
}
