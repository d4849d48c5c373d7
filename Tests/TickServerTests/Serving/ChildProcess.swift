import Foundation
import Glibc

/// A process of its own and what it writes; ended with its last reference.
final class ChildProcess {
  let identifier: pid_t
  private let output: Int32
  private var text = ""
  private var hasExited = false
  private var outputHasEnded = false

  /// Runs a program; `prefix` is for the shell that starts it, to set limits.
  init(_ words: [String], shell prefix: String = "") throws {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw ClientFault("pipe: errno \(errno)") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for stream in [Int32(1), 2] { posix_spawn_file_actions_adddup2(&actions, ends[1], stream) }
    let command = prefix + "exec " + words.map { "'\($0)'" }.joined(separator: " ")
    var argv: [UnsafeMutablePointer<CChar>?] = []
    for word in ["/bin/sh", "-c", command] { argv.append(strdup(word)) }
    argv.append(nil)
    defer { for word in argv { free(word) } }
    var child = pid_t()
    // Test threads block signals, and children inherit that.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    let result = posix_spawn(&child, "/bin/sh", &actions, &attributes, &argv, environ)
    close(ends[1])
    output = ends[0]
    identifier = child
    hasExited = result != 0
    guard result == 0 else { throw ClientFault("posix_spawn: error \(result)") }
  }

  /// The built server, on a free port of the loopback interface and without an admin port unless told otherwise.
  static func tickserver(
    _ arguments: [String] = [], listen: String = "127.0.0.1:any", admin: String = "off", shell prefix: String = ""
  ) throws -> ChildProcess {
    try ChildProcess(
      [try tickserverProgram(), "--listen", listen, "--set", "admin.port=\(admin)"] + arguments, shell: prefix)
  }

  deinit {
    if !hasExited {
      kill(identifier, SIGKILL)
      waitpid(identifier, nil, 0)
    }
    close(output)
  }

  func signal(_ number: Int32) { kill(identifier, number) }

  /// The port, once the log tells it.
  func port(_ message: String = "listening") throws -> Int {
    let line = try line { $0.contains(": \(message) ") || $0.contains("\"\(message)\"") }
    guard let range = line.range(of: "127.0.0.1:"), let port = Int(line[range.upperBound...].prefix { $0.isNumber })
    else { throw ClientFault("no port in: \(line)") }
    return port
  }

  func line(_ isWanted: (Substring) -> Bool) throws -> String {
    let deadline = monotonicSeconds() + TestClient.patienceSeconds
    while true {
      for line in text.split(separator: "\n").dropLast(text.hasSuffix("\n") ? 0 : 1) where isWanted(line) {
        return String(line)
      }
      guard read(before: deadline) else { throw ClientFault("no such line: \(text)") }
    }
  }

  /// Waits for its end.
  ///
  /// - Returns: the exit code, or 128 and the signal; and all that it wrote.
  func exit(
    within seconds: Double = TestClient.patienceSeconds, meanwhile: () throws -> Void = {}
  ) throws -> (code: Int32, text: String) {
    let deadline = monotonicSeconds() + seconds
    while !outputHasEnded, monotonicSeconds() < deadline {
      _ = read(before: monotonicSeconds() + 0.02)
      try meanwhile()
    }
    var raw: Int32 = 0
    while waitpid(identifier, &raw, WNOHANG) == 0 {
      guard monotonicSeconds() < deadline else { throw ClientFault("still runs: \(text)") }
      pause(milliseconds: 5)
    }
    let code = raw & 0x7F == 0 ? raw >> 8 & 0xFF : 128 + raw & 0x7F
    hasExited = true
    return (code, text)
  }

  /// Reads once; false at the end of its output or of the time.
  private func read(before deadline: Double) -> Bool {
    var poll = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
    guard Glibc.poll(&poll, 1, Int32(max(0, (deadline - monotonicSeconds()) * 1000))) > 0 else { return false }
    var chunk = [UInt8](repeating: 0, count: 4096)
    let count = Glibc.read(output, &chunk, chunk.count)
    guard count > 0 else {
      outputHasEnded = true
      return false
    }
    text += String(decoding: chunk[..<count], as: UTF8.self)
    return true
  }
}

/// The built server; it lies beside the test bundle, or a few folders above what is inside of it.
func tickserverProgram() throws -> String {
  var folder = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
  for _ in 0..<5 {
    let candidate = folder.appending(path: "tickserver")
    if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate.path }
    folder.deleteLastPathComponent()
  }
  throw ClientFault("no tickserver beside the tests")
}
