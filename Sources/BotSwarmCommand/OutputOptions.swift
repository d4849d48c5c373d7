import ArgumentParser
import BotSwarm
import Glibc

/// What is measured beside the bots, and where the reports go.
struct OutputOptions: ParsableArguments {
  @Option(
    name: .customLong("server-pid"),
    help: ArgumentHelp("Watch the memory and CPU of this process each second.", valueName: "pid"))
  var serverPID: Int32?

  @Option(help: ArgumentHelp("Write the figures as JSON.", valueName: "file"))
  var json: String?

  @Option(help: ArgumentHelp("Write a report with charts as one HTML file.", valueName: "file"))
  var html: String?

  @Flag(help: "Count what each field and part of the frames takes, and add it as a table to the summary.")
  var bytes = false

  @Flag(name: .shortAndLong, help: "No progress; the summary alone.")
  var quiet = false

  /// Before an hour of work, not after it.
  func check() throws {
    for (option, path) in [("--json", json), ("--html", html)] {
      guard let path else { continue }
      guard let file = fopen(path, "a") else {
        throw ValidationError("\(option) \(path): \(String(cString: strerror(errno)))")
      }
      fclose(file)
    }
    if let serverPID, serverPID < 1 || kill(serverPID, 0) != 0 && errno == ESRCH {
      throw ValidationError("--server-pid \(serverPID): there is no such process")
    }
  }

  func write(_ report: SwarmReport) throws {
    print(SummaryTable(report).text, terminator: "")
    if let json { try put(report.json.text + "\n", to: json) }
    if let html { try put(HTMLReport(report).text, to: html) }
  }

  private func put(_ text: String, to path: String) throws {
    let file = fopen(path, "w")
    guard let file, fputs(text, file) >= 0, fclose(file) == 0 else {
      printError("botswarm: \(path): \(String(cString: strerror(errno)))")
      throw ExitCode(2)
    }
  }
}
