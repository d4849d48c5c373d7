import Foundation
import Testing

@testable import TickServer

@Suite("The tickserver program")
struct ConfigurationCommandTests {
  @Test("--check-config is silent about a good file but for one line")
  func check() throws {
    let run = try tickserver("--check-config")
    #expect(run.code == 0)
    #expect(run.output == "the configuration is valid; room kinds: arena\n")
    #expect(run.error.isEmpty)
  }

  @Test("--check-config ends with 78 and all errors")
  func checkFails() throws {
    let file = try TemporaryFile("port: 0\nmaxRoms: 1\n")
    let run = try tickserver("--config", file.path, "--set", "drain=never", "--check-config")
    #expect(run.code == 78)
    #expect(run.output.isEmpty)
    #expect(run.error.split(separator: "\n").count == 3)
    #expect(run.error.hasPrefix("\(file.path):1: port is \"0\""))
  }

  @Test(
    "a size that is none is refused in the same words from a file, a variable and a flag",
    arguments: [
      ("7e8 1e9", "it is not a size: write a whole number and a unit without spaces, such as 64KiB"),
      ("7e8", "it is not a size: write a whole number and a unit without spaces, such as 64KiB"),
      ("0", "0 never means any, auto, off or unlimited"),
      ("0MiB", "0 never means any, auto, off or unlimited"),
      ("-1GiB", "a size cannot be negative"),
      ("1073741824", "a size needs a unit, B, KiB, MiB or GiB, such as 1073741824B or 1073741824KiB"),
      ("1GB", "\"GB\" is not a unit of a size: write B, KiB, MiB or GiB"),
    ])
  func refusedSize(_ value: String, _ problem: String) throws {
    let file = try TemporaryFile("maxRooms: 5\nmemoryLimit: \(value)\n")
    let runs = [
      ("\(file.path):2", try tickserver("--config", file.path, "--check-config")),
      (
        "environment TICKSERVER_MEMORY_LIMIT",
        try tickserver("--check-config", environment: ["TICKSERVER_MEMORY_LIMIT": value])
      ),
      ("flag --set", try tickserver("--set", "memoryLimit=\(value)", "--check-config")),
    ]
    for (place, run) in runs {
      #expect(run.code == 78)
      #expect(run.output.isEmpty)
      #expect(
        run.error.hasPrefix("\(place): memoryLimit is \"\(value)\": \(problem). Allowed: auto or "), "\(run.error)")
      #expect(run.error.split(separator: "\n").count == 1, "\(run.error)")
    }
  }

  @Test("an unknown key is refused with the nearest known one, from a file, a variable and a flag")
  func unknownKey() throws {
    let file = try TemporaryFile("memoryLimt: 1GiB\n")
    let fromFile = try tickserver("--config", file.path, "--check-config")
    #expect(fromFile.code == 78)
    #expect(fromFile.error == "\(file.path):1: \"memoryLimt\" is not a setting. Did you mean \"memoryLimit\"?\n")
    let fromVariable = try tickserver("--check-config", environment: ["TICKSERVER_MEMORY_LIMT": "1GiB"])
    #expect(fromVariable.code == 78)
    #expect(fromVariable.error.contains("is not a setting. Did you mean TICKSERVER_MEMORY_LIMIT?"))
    let fromFlag = try tickserver("--set", "memoryLimt=1GiB", "--check-config")
    #expect(fromFlag.code == 78)
    #expect(fromFlag.error.hasPrefix("flag --set: \"memoryLimt\" is not a setting. Did you mean \"memoryLimit\"?"))
  }

  @Test("--print-config reads back, with the file named by the environment")
  func printConfig() throws {
    let first = try tickserver("--print-config", "--port", "any", "--log-format", "json")
    #expect(first.code == 0)
    let file = try TemporaryFile(first.output)
    let second = try tickserver("--print-config", environment: ["TICKSERVER_CONFIG": file.path])
    #expect(second.code == 0)
    #expect(second.output.contains("port: any  # \(file.path):"))
    #expect(strip(first.output) == strip(second.output))
  }

  @Test("a missing file, and a missing file of tokens, end with 78")
  func missing() throws {
    let run = try tickserver("--config", "/nowhere/t.yaml", "--check-config")
    #expect(run.code == 78)
    #expect(
      run.error == "/nowhere/t.yaml:1: there is no such file. Give the path of a configuration file (YAML).\n")
    #expect(try tickserver("--set", "auth.tokensFile=/nowhere/t", "--check-config").code == 78)
    let tokens = try TemporaryFile("# for the lobby\none\n  two words \n\n")
    #expect(try tickserver("--set", "auth.tokensFile=\(tokens.path)", "--check-config").code == 0)
    #expect(try Authentication.tokensFile(tokens.path).acceptedTokens() == ["one", "two words"])
  }

  @Test(
    "wrong usage ends with 64",
    arguments: [["--bogus"], ["extra"], ["--set", "maxRooms"], ["--check-config", "--print-config"], ["--config"]])
  func usage(_ arguments: [String]) throws {
    let run = try tickserver(arguments)
    #expect(run.code == 64)
    #expect(run.output.isEmpty)
    #expect(run.error.contains("Usage: tickserver"))
  }

  @Test("--help and --version go to standard output")
  func help() throws {
    #expect(try tickserver("--version").output == "\(TickServerVersion.current)\n")
    let help = try tickserver("--help")
    #expect(help.code == 0)
    #expect(help.output.contains("tickserver --listen 127.0.0.1:7777"))
  }

  @Test("a port in use ends with 1 and one line; SIGTERM ends a server with 0", .timeLimit(.minutes(1)))
  func serving() throws {
    let process = Process()
    process.executableURL = try program()
    process.arguments = [
      "--listen", "127.0.0.1:any", "--set", "admin.port=off", "--loops", "1", "--log-format", "json",
    ]
    process.environment = [:]
    let log = Pipe()
    process.standardError = log
    try process.run()
    defer { if process.isRunning { process.terminate() } }
    var text = ""
    while !text.contains("\n") {
      let bytes = log.fileHandleForReading.availableData
      try #require(!bytes.isEmpty, "the server ended: \(text)")
      text += String(decoding: bytes, as: UTF8.self)
    }
    let port = try #require(text.firstMatch(of: /127\.0\.0\.1:([0-9]+)/)?.1)
    let second = try tickserver("--host", "127.0.0.1", "--port", String(port), "--set", "admin.port=off")
    #expect(second.code == 1)
    #expect(second.error.hasPrefix("error: "))
    #expect(second.error.contains("127.0.0.1:\(port)"))
    #expect(second.error.split(separator: "\n").count == 1)
    process.terminate()
    _ = log.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == 0)
  }

  private func strip(_ yaml: String) -> [String] {
    yaml.split(separator: "\n").map { line in
      line.range(of: "  #").map { String(line[..<$0.lowerBound]) } ?? String(line)
    }
  }
}

private struct Run {
  let code: Int32
  let output: String
  let error: String
}

private func tickserver(_ arguments: String..., environment: [String: String] = [:]) throws -> Run {
  try tickserver(arguments, environment: environment)
}

/// Runs the built program to its end. Its texts are far smaller than a pipe, so reading one after the other cannot
/// block.
private func tickserver(_ arguments: [String], environment: [String: String] = [:]) throws -> Run {
  let process = Process()
  process.executableURL = try program()
  process.arguments = arguments
  process.environment = environment
  let (output, error) = (Pipe(), Pipe())
  process.standardOutput = output
  process.standardError = error
  try process.run()
  let texts = [output, error].map { pipe in
    String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  }
  process.waitUntilExit()
  return Run(code: process.terminationStatus, output: texts[0], error: texts[1])
}

/// The program lies beside the test bundle, or a few folders above what is inside of it.
private func program() throws -> URL {
  var folder = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
  for _ in 0..<5 {
    let candidate = folder.appending(path: "tickserver")
    if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
    folder.deleteLastPathComponent()
  }
  throw CocoaError(.fileNoSuchFile)
}

/// A file that is gone with its last reference.
private final class TemporaryFile {
  let path: String

  init(_ text: String) throws {
    path = FileManager.default.temporaryDirectory.appending(path: "tickserver-\(UUID().uuidString)").path
    try text.write(toFile: path, atomically: true, encoding: .utf8)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
