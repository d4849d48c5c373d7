import ArgumentParser

/// The settings on the command line, the same for every command. Values stay texts here: they are checked with those of
/// the file and the environment, in the same words.
struct SettingOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The configuration file (YAML); also TICKSERVER_CONFIG.", valueName: "file"))
  var config: String?

  @Option(
    help: ArgumentHelp(
      "Where to listen: 0.0.0.0:7777 or [::1]:7777; --host and --port in one.", valueName: "address:port"))
  var listen: String?

  @Option(help: ArgumentHelp("The IPv4 or IPv6 address to listen on. Default 0.0.0.0.", valueName: "address"))
  var host: String?

  @Option(help: ArgumentHelp("The TCP port, 1 to 65535, or any. Default 7777.", valueName: "port"))
  var port: String?

  @Option(help: ArgumentHelp("Event loops, 1 to 256, or auto: one a core. Default auto.", valueName: "count"))
  var loops: String?

  @Option(help: ArgumentHelp("The least severe level logged, trace to critical. Default info.", valueName: "level"))
  var logLevel: String?

  @Option(help: ArgumentHelp("How log records are written: text or json. Default text.", valueName: "format"))
  var logFormat: String?

  @Option(help: ArgumentHelp("Set any key of the file, such as maxRooms=20. May be repeated.", valueName: "key=value"))
  var set: [String] = []

  func validate() throws {
    for assignment in set where !assignment.contains("=") {
      throw ValidationError("--set takes KEY=VALUE, such as maxRooms=20, not '\(assignment)'.")
    }
  }

  /// The settings that the flags name, for ``ConfigurationSources``.
  var flags: [(key: String, value: String, flag: String)] {
    let named: [(String, String?, String)] = [
      ("listen", listen, "--listen"), ("host", host, "--host"), ("port", port, "--port"), ("loops", loops, "--loops"),
      ("log.level", logLevel, "--log-level"), ("log.format", logFormat, "--log-format"),
    ]
    let assigned = set.map { assignment in
      let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      return (key: parts[0], value: parts.count > 1 ? parts[1] : "", flag: "--set")
    }
    return named.compactMap { key, value, flag in value.map { (key, $0, flag) } } + assigned
  }
}

/// What can be asked of a configuration instead of serving it.
struct CheckOptions: ParsableArguments {
  @Flag(help: "Check the configuration and exit: 0 when it is valid, 78 with all errors when it is not.")
  var checkConfig = false

  @Flag(help: "Print the effective configuration with the origin of each value, and exit. Leaves tokens out.")
  var printConfig = false

  @Flag(help: "With --print-config: print tokens in clear.")
  var showTokens = false

  func validate() throws {
    if checkConfig, printConfig { throw ValidationError("--check-config and --print-config exclude each other.") }
    if showTokens, !printConfig { throw ValidationError("--show-tokens goes with --print-config.") }
  }
}

/// The version of this server.
public enum TickServerVersion {
  /// As `--version` prints it.
  public static let current = "0.1.0"
}
