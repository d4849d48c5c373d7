import EventLoop
import Glibc
import RoomEngine

/// What the process uses, as the system sees it; all in bytes.
struct MemoryReading: Equatable, Sendable {
  /// The process's resident memory.
  var rssBytes: Int
  /// What counts against the limit: of the whole container where it has one, socket buffers included.
  var usedBytes: Int
}

/// Reads the process's memory, and that of its container.
struct MemoryReader: Sendable {
  private let files: SystemFiles
  private let limit: MemoryLimit?
  private let pageBytes: Int

  init(limit: MemoryLimit?, files: SystemFiles = SystemFiles()) {
    self.limit = limit
    self.files = files
    pageBytes = sysconf(Int32(_SC_PAGESIZE))
  }

  /// The present reading; nil when the system does not tell.
  func read() -> MemoryReading? {
    // size resident shared ..., in pages
    let fields = (files.text("/proc/self/statm") ?? "").split(separator: " ")
    guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
    let rss = pages * pageBytes
    guard case .controlGroup(let group)? = limit?.source, let used = usage(of: group) else {
      return MemoryReading(rssBytes: rss, usedBytes: rss)
    }
    return MemoryReading(rssBytes: rss, usedBytes: used)
  }

  /// Without file pages that nobody has used lately: the kernel drops those before it kills anyone.
  private func usage(of group: ControlGroups.Group) -> Int? {
    let name = group.isVersion2 ? "memory.current" : "memory.usage_in_bytes"
    guard let all = files.number("\(group.directory)/\(name)") else { return nil }
    let key = group.isVersion2 ? "inactive_file " : "total_inactive_file "
    let statistics = (files.text("\(group.directory)/memory.stat") ?? "").split(separator: "\n")
    let inactive = statistics.first { $0.hasPrefix(key) }.flatMap { Int($0.dropFirst(key.count)) } ?? 0
    let used = max(0, all - inactive)
    // Version 1 books socket buffers apart, version 2 within.
    guard !group.isVersion2, let limit, let sockets = MemoryLimit.socketLimitBytes(of: group, files) else {
      return used
    }
    let both = used + (files.number("\(group.directory)/memory.kmem.tcp.usage_in_bytes") ?? 0)
    // Set since the start it is no part of the limit that is known, and may be as large.
    let own = limit.size.bytes - sockets
    guard own > 0 else { return both }
    // Only the other part can be the death of the process: its share of its own limit counts when it is the larger one.
    // Twice the limit says enough, however small that part is.
    return max(both, Int(min(Double(used) / Double(own), 2) * Double(limit.size.bytes)))
  }
}
