import Glibc

/// What a process holds at one moment, and the CPU it used since the moment before.
package struct ProcessSample: Hashable, Sendable {
  package var residentBytes: Int
  /// Cores used: 0.5 is half a core.
  package var cores: Double
  package var descriptors: Int
  package var threads: Int
}

/// Reads a process's figures from `/proc`, once a second.
package struct ProcessSampler {
  package let pid: Int32
  private let directory: String
  private var previous: (cpuTicks: UInt64, microseconds: UInt64)?

  /// - Parameter procDirectory: Another directory for tests.
  package init(pid: Int32, procDirectory: String = "/proc") {
    self.pid = pid
    directory = "\(procDirectory)/\(pid)"
  }

  /// Nil when the process is gone or may not be read.
  package mutating func sample(atMicroseconds now: UInt64) -> ProcessSample? {
    guard let status = readText("\(directory)/status"), let stat = readText("\(directory)/stat"),
      let cpuTicks = Self.cpuTicks(stat: stat), let resident = Self.kibibytes("VmRSS", status: status)
    else { return nil }
    defer { previous = (cpuTicks, now) }
    var cores = 0.0
    if let previous, now > previous.microseconds, cpuTicks >= previous.cpuTicks {
      let seconds = Double(cpuTicks - previous.cpuTicks) / Double(sysconf(Int32(_SC_CLK_TCK)))
      cores = seconds * 1_000_000 / Double(now - previous.microseconds)
    }
    return ProcessSample(
      residentBytes: resident * 1024, cores: cores, descriptors: countEntries("\(directory)/fd"),
      threads: Self.number("Threads", status: status) ?? 0)
  }

  /// User and system time. The command's name stands in parentheses and may itself hold spaces and parentheses.
  static func cpuTicks(stat: String) -> UInt64? {
    guard let end = stat.lastIndex(of: ")") else { return nil }
    let fields = stat[stat.index(after: end)...].split(separator: " ")
    guard fields.count > 12, let user = UInt64(fields[11]), let system = UInt64(fields[12]) else { return nil }
    return user + system
  }

  static func kibibytes(_ key: String, status: String) -> Int? { number(key, status: status) }

  private static func number(_ key: String, status: String) -> Int? {
    for line in status.split(separator: "\n") where line.hasPrefix(key + ":") {
      return line.dropFirst(key.utf8.count + 1).split { $0 == " " || $0 == "\t" }.first.flatMap { Int($0) }
    }
    return nil
  }
}

/// How busy the cores of this machine are, by all processes together.
package struct MachineClock: Sendable {
  private let path: String
  private var previous: (busy: UInt64, all: UInt64)?

  package init(procDirectory: String = "/proc") { path = "\(procDirectory)/stat" }

  /// Share of the time since the last call in which cores were busy, 0 to 1; nil at the first call.
  package mutating func busyShare() -> Double? {
    // cpu user nice system idle iowait irq softirq steal: steal is time that another machine had.
    let fields = (readText(path) ?? "").prefix { $0 != "\n" }.split(separator: " ").dropFirst().compactMap {
      UInt64($0)
    }
    guard fields.count >= 5 else { return nil }
    let all = fields.prefix(8).reduce(0, +)
    let busy = all - fields[3] - fields[4]
    defer { previous = (busy, all) }
    guard let previous, all > previous.all, busy >= previous.busy else { return nil }
    return Double(busy - previous.busy) / Double(all - previous.all)
  }
}

/// How busy a thread is, by the CPU time it used. Waiting for a core doesn't count: lateness shows that.
package struct ThreadClock: Sendable {
  private var previous: (busyNanoseconds: UInt64, nowNanoseconds: UInt64)?

  package init() {}

  /// Share of the time since the last call in which the calling thread ran, 0 to 1; nil at the first call.
  package mutating func busyShare(nowNanoseconds now: UInt64) -> Double? {
    var time = timespec()
    guard clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0 else { return nil }
    let busy = UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    defer { previous = (busy, now) }
    guard let previous, now > previous.nowNanoseconds else { return nil }
    return min(1, Double(busy - previous.busyNanoseconds) / Double(now - previous.nowNanoseconds))
  }
}

/// The text of a small file, as those of `/proc` are; nil when it can't be read.
func readText(_ path: String) -> String? {
  guard let file = fopen(path, "re") else { return nil }
  defer { fclose(file) }
  var bytes = [UInt8](repeating: 0, count: 16 * 1024)
  let count = fread(&bytes, 1, bytes.count, file)
  guard count > 0 else { return nil }
  return String(decoding: bytes[..<count], as: UTF8.self)
}

private func countEntries(_ path: String) -> Int {
  guard let directory = opendir(path) else { return 0 }
  defer { closedir(directory) }
  var count = 0
  while let entry = readdir(directory) {
    if entry.pointee.d_name.0 != CChar(bitPattern: UInt8(ascii: ".")) { count += 1 }
  }
  return count
}
