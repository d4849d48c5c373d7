import ArgumentParser
import RoomEngine

/// What a server program does once its configuration is known.
protocol ProgramCommand: ParsableCommand {
  var settings: SettingOptions { get }
  func outcome(of loaded: LoadedConfiguration) -> ServerProgram.Plan
}

/// The program without a command: it serves.
struct ServerCommand: ProgramCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: programName,
      abstract: "Serve multiplayer rooms over TCP: state at a steady tick, the same bytes to every member.",
      usage: "\(programName) [serve|plan|health|drain] [--config FILE] [--set KEY=VALUE ...] [options]",
      discussion: """
        Settings come from flags, then TICKSERVER_* environment variables, then the file, then the defaults.
        A variable is the key in capitals: log.level is TICKSERVER_LOG_LEVEL, maxRooms is TICKSERVER_MAX_ROOMS.

        Examples:
          \(programName) --listen 127.0.0.1:7777
          \(programName) --config game.yaml --log-format json
          \(programName) --config game.yaml --set maxRooms=20 --check-config
          \(programName) --print-config > game.yaml
          \(programName) plan --set memoryLimit=64MiB --set maxRooms=10

        Exit codes: 0 stopped as asked, 1 could not run, 64 wrong usage, 78 wrong configuration.
        """,
      version: TickServerVersion.current,
      subcommands: [ServeCommand.self, PlanCommand.self, HealthCommand.self, DrainCommand.self])
  }

  @OptionGroup var settings: SettingOptions
  @OptionGroup var checks: CheckOptions

  func outcome(of loaded: LoadedConfiguration) -> ServerProgram.Plan { checks.outcome(of: loaded) }

  private static var programName: String {
    CommandLine.arguments.first?.split(separator: "/").last.map(String.init) ?? "tickserver"
  }
}

/// The same by its name.
struct ServeCommand: ProgramCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(commandName: "serve", abstract: "Serve; the same as without a command.")
  }

  @OptionGroup var settings: SettingOptions
  @OptionGroup var checks: CheckOptions

  func outcome(of loaded: LoadedConfiguration) -> ServerProgram.Plan { checks.outcome(of: loaded) }
}

/// Prints the memory plan.
struct PlanCommand: ProgramCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "plan",
      abstract: "Print the worst case of the configuration's memory against the limit, line by line.",
      discussion: "Exit codes: 0 it fits, 64 wrong usage, 78 it is over the limit, or the configuration is wrong.")
  }

  @OptionGroup var settings: SettingOptions
  @Flag(help: "Print JSON instead of a table.")
  var json = false

  func outcome(of loaded: LoadedConfiguration) -> ServerProgram.Plan {
    let limited = LimitedPlan(loaded.configuration)
    let table = PlanTable(limited: limited)
    return .exit(
      code: limited.plan.fits ? ExitStatus.success : ExitStatus.configuration, output: json ? table.json : table.text,
      error: "")
  }
}

/// Asks the server that runs with these settings whether it is well.
struct HealthCommand: ProgramCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "health",
      abstract: "Ask the server that runs with these settings whether it is well: a container's health check.",
      discussion: """
        It asks the admin port (admin.host, admin.port): give the server and this the same file and variables.

        Exit codes: 0 well, 1 not, or nobody answers, 64 wrong usage, 78 wrong configuration.
        """)
  }

  @OptionGroup var settings: SettingOptions
  @Flag(help: "Ask whether further players may come (/readyz), not only whether it lives (/livez).")
  var ready = false

  func outcome(of loaded: LoadedConfiguration) -> ServerProgram.Plan {
    .asking(HealthProbe(loaded.configuration.admin, path: ready ? "/readyz" : "/livez"))
  }
}

/// Asks the server that runs with these settings to stop.
struct DrainCommand: ProgramCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(
      commandName: "drain",
      abstract: "Ask the server that runs with these settings to stop, without ending matches that end in time.",
      discussion: """
        It asks the admin port (admin.host, admin.port) and prints what is left; it does not wait for the end.
        Asked again, the earlier deadline counts.

        Exit codes: 0 it will, 1 it won't, or nobody answers, 64 wrong usage, 78 wrong configuration.
        """)
  }

  @OptionGroup var settings: SettingOptions
  @Option(
    help: ArgumentHelp(
      "How long rooms may go on, 100ms to 24h, or now. Default: what the server's lameDuck says.", valueName: "time"))
  var deadline: String?

  func validate() throws {
    let form = SettingForm<ServerLifecycle.Order>.order
    if let deadline, case .problem(let problem) = form.parse(deadline) {
      throw ValidationError("--deadline is '\(deadline)': \(problem). Allowed: \(form.allowed).")
    }
  }

  func outcome(of loaded: LoadedConfiguration) -> ServerProgram.Plan {
    let query = deadline.map { "?deadline=\($0)" } ?? ""
    return .asking(HealthProbe(loaded.configuration.admin, path: "/drain" + query, method: "POST"))
  }
}

extension ServerProgram.Plan {
  fileprivate static func asking(_ probe: HealthProbe?) -> Self {
    guard let probe else {
      return .exit(
        code: ExitStatus.configuration, output: "",
        error: "error: admin.port is not a number here, so there is nobody to ask. Set it to 1 to 65535.\n")
    }
    return .probe(probe)
  }
}

extension CheckOptions {
  func outcome(of loaded: LoadedConfiguration) -> ServerProgram.Plan {
    let warnings = loaded.warnings.map { "warning: \(oneLine($0))\n" }.joined()
    if printConfig {
      return .exit(code: ExitStatus.success, output: loaded.yaml(showsTokens: showTokens), error: warnings)
    }
    if checkConfig {
      let rooms = loaded.configuration.roomKinds.map(\.name).joined(separator: ", ")
      return .exit(
        code: ExitStatus.success, output: "the configuration is valid; room kinds: \(oneLine(rooms))\n", error: warnings
      )
    }
    return .serve(loaded.configuration, warnings: loaded.warnings)
  }
}
