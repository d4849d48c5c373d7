import EventLoop
import RoomEngine

/// The most memory that the server may use, and who says so.
struct MemoryLimit: Equatable, Sendable, CustomStringConvertible {
  enum Source: Equatable, Sendable {
    /// The setting `memoryLimit`.
    case setting
    /// A control group; its folder, which is not always the process's own: parents limit too.
    case controlGroup(ControlGroups.Group)
    /// The machine has no more.
    case host
  }

  let size: ByteCount
  let source: Source

  var description: String {
    switch source {
    case .setting: "memoryLimit"
    case .controlGroup(let group):
      "cgroup v\(group.isVersion2 ? 2 : 1), \(group.directory)/\(Self.fileName(of: group))"
    case .host: "the machine's memory"
    }
  }

  /// The limit in force; nil with `unlimited`, and where the system tells none.
  init?(_ setting: MemoryLimitSetting, files: SystemFiles = SystemFiles()) {
    switch setting {
    case .unlimited: return nil
    case .bytes(let size): self.init(size: size, source: .setting)
    case .auto:
      let groups = ControlGroups(files).groups(controlling: "memory").compactMap { Self.limit(of: $0, files) }
      let all = groups + [Self.host(files)].compactMap { $0 }
      guard let least = all.min(by: { $0.size < $1.size }) else { return nil }
      self = least
    }
  }

  private init(size: ByteCount, source: Source) {
    self.size = size
    self.source = source
  }

  private static func fileName(of group: ControlGroups.Group) -> String {
    group.isVersion2 ? "memory.max" : "memory.limit_in_bytes"
  }

  /// Nil for `max`, for what can't be read, and for nonsense. Version 1 writes "none" as a number above any machine's
  /// memory, which the host's own then undercuts.
  private static func limit(of group: ControlGroups.Group, _ files: SystemFiles) -> MemoryLimit? {
    guard let bytes = files.number(group.directory + "/" + fileName(of: group)), bytes > 0 else { return nil }
    // Version 1's word for none, where the host's memory is not known.
    guard bytes < Int.max / 2 else { return nil }
    return MemoryLimit(
      size: ByteCount(bytes + (socketLimitBytes(of: group, files) ?? 0)), source: .controlGroup(group))
  }

  /// What version 1 grants socket buffers apart from the rest; nil when it does not book them at all, as usual.
  static func socketLimitBytes(of group: ControlGroups.Group, _ files: SystemFiles) -> Int? {
    guard !group.isVersion2, let bytes = files.number(group.directory + "/memory.kmem.tcp.limit_in_bytes"),
      bytes > 0, bytes < Int.max / 2
    else { return nil }
    return bytes
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
