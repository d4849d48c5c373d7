import EventLoop
import Glibc
import RoomEngine

/// What is used of the server's memory, as the system sees it; all in bytes.
struct MemoryReading: Equatable, Sendable {
  /// What counts against one limit.
  struct Usage: Equatable, Sendable {
    var usedBytes: Int
    var limitBytes: Int
    /// Whose limit, in words.
    var source: String
    /// What a process allocates does not count against it, only what the kernel holds for its sockets.
    var isOfSockets = false

    var share: Double { Double(usedBytes) / Double(max(1, limitBytes)) }
  }

  /// The process's resident memory.
  var rssBytes: Int
  /// Of each limit that somebody enforces; empty without a limit.
  var usages: [Usage] = []
  /// What ``MemoryReader/quickBytes()`` said at the same moment; nil when it says nothing.
  var quickBytes: Int?

  /// The one that is nearest to its limit.
  var worst: Usage? { usages.max { $0.share < $1.share } }
}

/// Reads what the process uses of its memory, where that is enforced: of every control group with a limit, else the
/// process's own memory and its sockets'.
struct MemoryReader: Sendable {
  private let files: SystemFiles
  private let setting: MemoryLimitSetting
  private let groups: [ControlGroups.Group]
  private let mostSocketBytes: @Sendable () -> Int
  private let quick: UsageFile?
  private let pageBytes: Int

  /// - Parameter mostSocketBytes: what the kernel may hold for all connections that are open now, by the plan.
  init(
    _ setting: MemoryLimitSetting, files: SystemFiles = SystemFiles(),
    mostSocketBytes: @escaping @Sendable () -> Int = { .max }
  ) {
    self.setting = setting
    self.files = files
    self.mostSocketBytes = mostSocketBytes
    pageBytes = sysconf(Int32(_SC_PAGESIZE))
    groups = MemoryLimits.groups(files)
    let limits = MemoryLimits(setting, groups: groups, files: files).all
    quick =
      if let group = groups.first(where: { group in limits.contains { $0.group == group } }) {
        UsageFile(path: files.root + Self.usagePath(group), field: 0, unit: 1)
      } else {
        UsageFile(path: files.root + "/proc/self/statm", field: 1, unit: pageBytes)
      }
  }

  /// The present reading; nil when the system does not tell. Limits are read anew: they may change at run time.
  func read() -> MemoryReading? {
    // size resident shared ..., in pages
    let fields = (files.text("/proc/self/statm") ?? "").split(separator: " ")
    guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
    let rss = pages * pageBytes
    let limits = MemoryLimits(setting, groups: groups, files: files)
    var enforced: [MemoryReading.Usage] = []
    var ownGroup: Int?
    // From the innermost group out: what the setting bounds is in the first of them.
    for group in groups {
      let own = limits.all.filter { $0.group == group }
      guard !own.isEmpty, let used = usage(of: group) else { continue }
      for limit in own { enforced += usages(of: limit, group, used) }
      if ownGroup == nil { ownGroup = used + (group.isVersion2 ? 0 : tcpBytes(of: group) ?? 0) }
    }
    let process = rss + socketBytes()
    for limit in limits.all where limit.group == nil {
      // Pages of the program's file count for whoever read them first: not always in our group.
      let used = limit.source == .setting ? max(ownGroup ?? 0, process) : process
      enforced.append(.init(usedBytes: used, limitBytes: limit.size.bytes, source: "\(limit)"))
    }
    return MemoryReading(rssBytes: rss, usages: enforced, quickBytes: quickBytes())
  }

  /// A number that grows with what is used, byte for byte: cheap enough to be read by a loop before it admits anyone.
  func quickBytes() -> Int? { quick?.read() }

  // MARK: Control groups

  private static func usagePath(_ group: ControlGroups.Group) -> String {
    "\(group.directory)/\(group.isVersion2 ? "memory.current" : "memory.usage_in_bytes")"
  }

  /// Without what the kernel drops before it kills anyone: file pages that nobody has used lately, and caches of its own.
  private func usage(of group: ControlGroups.Group) -> Int? {
    guard let all = files.number(Self.usagePath(group)) else { return nil }
    let keys = group.isVersion2 ? ["inactive_file", "slab_reclaimable"] : ["total_inactive_file"]
    var reclaimable = 0
    for line in (files.text("\(group.directory)/memory.stat") ?? "").split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count == 2, keys.contains(String(words[0])), let bytes = Int(words[1]) { reclaimable += max(0, bytes) }
    }
    return max(0, all - reclaimable)
  }

  /// Version 1 limits TCP buffers apart: each part has its own end, and a full one is full whatever the other leaves.
  private func usages(
    of limit: MemoryLimit, _ group: ControlGroups.Group, _ used: Int
  ) -> [MemoryReading.Usage] {
    guard let part = limit.socketPart, let tcp = tcpBytes(of: group) else {
      return [.init(usedBytes: used, limitBytes: limit.size.bytes, source: "\(limit)")]
    }
    return [
      .init(
        usedBytes: used, limitBytes: limit.size.bytes - part.bytes,
        source: "cgroup v1, \(group.directory)/memory.limit_in_bytes"),
      .init(
        usedBytes: tcp, limitBytes: part.bytes, source: "cgroup v1, \(group.directory)/memory.kmem.tcp.limit_in_bytes",
        isOfSockets: true),
    ]
  }

  private func tcpBytes(of group: ControlGroups.Group) -> Int? {
    files.number("\(group.directory)/memory.kmem.tcp.usage_in_bytes")
  }

  // MARK: Without a group

  /// What the kernel holds for the process's sockets: it tells the sum of the whole machine, and the plan bounds ours.
  private func socketBytes() -> Int {
    // TCP: inuse 5 orphan 0 tw 0 alloc 8 mem 3
    let lines = (files.text("/proc/net/sockstat") ?? "").split(separator: "\n")
    guard let words = lines.first(where: { $0.hasPrefix("TCP:") })?.split(separator: " "),
      let place = words.firstIndex(of: "mem"), place + 1 < words.count, let pages = Int(words[place + 1])
    else { return 0 }
    return max(0, min(pages * pageBytes, mostSocketBytes()))
  }
}

/// A number in a file that the kernel writes anew for each read.
private final class UsageFile: Sendable {
  private let descriptor: Int32
  private let field: Int
  private let unit: Int

  init?(path: String, field: Int, unit: Int) {
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    self.field = field
    self.unit = unit
  }

  deinit { close(descriptor) }

  func read() -> Int? {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 128) { bytes in
      let count = pread(descriptor, bytes.baseAddress, bytes.count, 0)
      guard count > 0 else { return nil }
      let words = bytes[..<count].split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
      guard field < words.count else { return nil }
      return Int(String(decoding: words[field], as: UTF8.self)).map { $0 * unit }
    }
  }
}
