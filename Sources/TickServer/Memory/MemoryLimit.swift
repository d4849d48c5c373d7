import EventLoop
import RoomEngine

/// A limit on the server's memory, and who enforces it.
struct MemoryLimit: Equatable, Sendable, CustomStringConvertible {
  enum Source: Equatable, Sendable {
    /// The setting `memoryLimit`: enforced by the server alone.
    case setting
    /// A control group's hard limit: beyond it the kernel kills. Parents limit too.
    case controlGroup(ControlGroups.Group)
    /// `memory.high` of a group of version 2: beyond it the kernel slows the process down until ticks come too late.
    case throttle(ControlGroups.Group)
    /// The machine has no more.
    case host
  }

  /// Everything that counts against it, in bytes.
  let size: ByteCount
  let source: Source
  /// The part of `size` that version 1 grants TCP buffers, which it books apart from the rest; nil where it does not
  /// book them at all, as usual, and in version 2, which books them with the rest.
  var socketPart: ByteCount?

  init(size: ByteCount, source: Source, socketPart: ByteCount? = nil) {
    self.size = size
    self.source = source
    self.socketPart = socketPart
  }

  var description: String {
    switch source {
    case .setting: "memoryLimit"
    case .controlGroup(let group):
      "cgroup v\(group.isVersion2 ? 2 : 1), \(group.directory)/\(group.isVersion2 ? "memory.max" : "memory.limit_in_bytes")"
        + (socketPart == nil ? "" : " and memory.kmem.tcp.limit_in_bytes")
    case .throttle(let group): "cgroup v2, \(group.directory)/memory.high, above which the kernel slows the server down"
    case .host: "the machine's memory"
    }
  }

  /// Whether the kernel enforces it for the group.
  var group: ControlGroups.Group? {
    switch source {
    case .controlGroup(let group), .throttle(let group): group
    case .setting, .host: nil
    }
  }
}

/// Every limit on the server's memory. The tightest is in force; a setting can lower it, never raise it.
struct MemoryLimits: Equatable, Sendable {
  /// Tightest first.
  let all: [MemoryLimit]

  /// The limit in force; nil where the system tells none and none is set.
  var inForce: MemoryLimit? { all.first }

  init(_ setting: MemoryLimitSetting, files: SystemFiles = SystemFiles()) {
    self.init(setting, groups: Self.groups(files), files: files)
  }

  /// The same for groups that are known: a process is seldom moved, but limits change while it runs.
  init(_ setting: MemoryLimitSetting, groups: [ControlGroups.Group], files: SystemFiles) {
    var found = groups.flatMap { Self.limits(of: $0, files) } + [Self.host(files)].compactMap { $0 }
    if case .bytes(let size) = setting { found.append(MemoryLimit(size: size, source: .setting)) }
    // Of equal ones the first counts: where the kernel enforces it.
    all = found.enumerated().sorted { ($0.element.size, $0.offset) < ($1.element.size, $1.offset) }.map(\.element)
  }

  /// The process's memory groups, its own first, each once.
  static func groups(_ files: SystemFiles) -> [ControlGroups.Group] {
    var seen: Set<String> = []
    return ControlGroups(files).groups(controlling: "memory").filter { seen.insert($0.directory).inserted }
  }

  /// What is to be told about the limits in words; nil when they agree with the setting.
  var warning: String? {
    guard let set = all.first(where: { $0.source == .setting }), let inForce, inForce.size < set.size
    else { return nil }
    return "memoryLimit is \(set.size), above \(inForce.size) (\(inForce)), which is in force. "
      + "Set memoryLimit to auto or to at most \(inForce.size), or raise the other limit."
  }

  // MARK: Reading

  /// Nil for `max`, for what can't be read, and for nonsense. Version 1 writes "none" as a number above any machine's
  /// memory.
  private static func bytes(_ path: String, _ files: SystemFiles) -> Int? {
    files.number(path).flatMap { $0 > 0 && $0 < Int.max / 2 ? $0 : nil }
  }

  private static func limits(of group: ControlGroups.Group, _ files: SystemFiles) -> [MemoryLimit] {
    if group.isVersion2 {
      let most = bytes(group.directory + "/memory.max", files).map {
        MemoryLimit(size: ByteCount($0), source: .controlGroup(group))
      }
      let high = bytes(group.directory + "/memory.high", files).map {
        MemoryLimit(size: ByteCount($0), source: .throttle(group))
      }
      return [most, high].compactMap { $0 }
    }
    guard let own = bytes(group.directory + "/memory.limit_in_bytes", files) else { return [] }
    let sockets = bytes(group.directory + "/memory.kmem.tcp.limit_in_bytes", files)
    return [
      MemoryLimit(
        size: ByteCount(own + (sockets ?? 0)), source: .controlGroup(group), socketPart: sockets.map { ByteCount($0) })
    ]
  }

  /// `MemTotal:       16384256 kB`
  private static func host(_ files: SystemFiles) -> MemoryLimit? {
    let lines = (files.text("/proc/meminfo") ?? "").split(separator: "\n")
    guard let line = lines.first(where: { $0.hasPrefix("MemTotal:") }) else { return nil }
    let words = line.split(separator: " ")
    guard words.count == 3, words[2] == "kB", let kib = Int(words[1]), kib > 0 else { return nil }
    return MemoryLimit(size: .kib(kib), source: .host)
  }
}
