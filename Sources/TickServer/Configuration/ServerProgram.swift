import ArgumentParser
import EventLoop
import Foundation
import Logging
public import RoomEngine

extension Server {
  /// Runs the process's server until it is stopped and ends the process: the whole `main` of a game.
  ///
  /// ```swift
  /// import TickServer
  ///
  /// Server.main(rooms: [arena])
  /// ```
  ///
  /// The program takes the flags of `tickserver` (`--help` lists them), `TICKSERVER_*` variables and a configuration
  /// file. They may change every setting, and add relay rooms. Of the rooms given here they may change tick rate,
  /// capacity and limits, never the schema. Without rooms here or in the file there is one,
  /// ``RoomEngine/RoomKind/arena``.
  ///
  /// Exit codes: 0 stopped as asked, 1 could not run, 64 wrong usage, 78 wrong configuration.
  public static func main(rooms: [RoomKind] = []) -> Never {
    main(ServerConfiguration(rooms: rooms))
  }

  /// The same, with other defaults than the built-in ones.
  public static func main(_ defaults: ServerConfiguration) -> Never {
    fillStandardDescriptors()
    if let fault = systemFault() {
      StandardStream.error.write("error: \(fault)\n")
      exit(ExitStatus.configuration)
    }
    let arguments = Array(CommandLine.arguments.dropFirst())
    switch ServerProgram.plan(defaults, arguments, environment: ProcessInfo.processInfo.environment) {
    case .exit(let code, let output, let error):
      StandardStream.output.write(output)
      StandardStream.error.write(error)
      exit(code)
    case .probe(let probe):
      let (isWell, text) = probe.run()
      (isWell ? StandardStream.output : .error).write(text + "\n")
      exit(isWell ? ExitStatus.success : ExitStatus.cannotRun)
    case .serve(let configuration, let warnings):
      do {
        try LoggingSystem.bootstrapTickServer(configuration)
        for warning in warnings { Logger(label: "tickserver").warning("\(warning)") }
        try serve(configuration)
        exit(ExitStatus.success)
      } catch let error as MemoryPlanError {
        LogWriter.flushProcess()
        StandardStream.error.write("error: \(error)\n")
        exit(ExitStatus.configuration)
      } catch {
        LogWriter.flushProcess()
        StandardStream.error.write("error: \(oneLine("\(error)"))\n")
        exit(ExitStatus.cannotRun)
      }
    }
  }
}

/// The program around a server: command line, environment and configuration file.
enum ServerProgram {
  /// What a start of the program comes to.
  enum Plan {
    case exit(code: Int32, output: String, error: String)
    case serve(ServerConfiguration, warnings: [String])
    case probe(HealthProbe)
  }

  /// Decides what to do, without doing it.
  static func plan(_ defaults: ServerConfiguration, _ arguments: [String], environment: [String: String]) -> Plan {
    var command: any ParsableCommand
    do {
      command = try ServerCommand.parseAsRoot(arguments)
      guard let command = command as? any ProgramCommand else {
        // `help`, which the library answers.
        try command.run()
        return .exit(code: ExitStatus.success, output: "", error: "")
      }
      return plan(defaults, command, environment)
    } catch {
      let code = ServerCommand.exitCode(for: error).rawValue
      let text = ServerCommand.fullMessage(for: error) + "\n"
      return .exit(code: code, output: code == 0 ? text : "", error: code == 0 ? "" : text)
    }
  }

  private static func plan(
    _ defaults: ServerConfiguration, _ command: any ProgramCommand, _ environment: [String: String]
  ) -> Plan {
    var sources = ConfigurationSources()
    sources.program = defaults
    sources.environment = environment
    sources.flags = command.settings.flags
    do throws(ConfigurationError) {
      if let path = command.settings.config ?? environment[ConfigurationSources.fileVariable] {
        sources.file = (path, try read(path))
      }
      let loaded = try sources.load()
      // A missing tokens file should fail here, not at the first client.
      _ = try loaded.configuration.authentication.acceptedTokens()
      return command.outcome(of: loaded)
    } catch {
      return .exit(code: ExitStatus.configuration, output: "", error: "\(error)\n")
    }
  }

  private static func read(_ path: String) throws(ConfigurationError) -> String {
    do {
      return try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      let reason =
        FileManager.default.fileExists(atPath: path) ? "it cannot be read as a UTF-8 text" : "there is no such file"
      throw ConfigurationError([
        ConfigurationFault(
          origin: .file(name: path, line: 1), message: "\(reason). Give the path of a configuration file (YAML).")
      ])
    }
  }
}

/// Exit codes, after sysexits.h where it has one.
enum ExitStatus {
  static let success: Int32 = 0
  static let cannotRun: Int32 = 1
  /// EX_CONFIG.
  static let configuration: Int32 = 78
}
