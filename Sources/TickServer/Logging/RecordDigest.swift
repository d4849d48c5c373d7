import RoomEngine

/// Bounds how many records the log gets of things of one kind: the first few of a window each get their own, the others
/// are summed up in one when the window ends. While it goes on, each window gives one record.
///
/// ```swift
/// if digest.tells(reason, now: now, name: "session 7") { logger.info(...) }
/// ...
/// for (reason, sum) in digest.takeDue(now: now) { logger.info("...", metadata: ["count": "\(sum.count)"]) }
/// ```
///
/// Keys come from a closed list: their number bounds what is kept.
struct RecordDigest<Key: Hashable> {
  /// What got no record of its own.
  struct Sum: Equatable {
    var count = 0
    /// The first few.
    var names: [String] = []
    /// How many there were of the first few groups.
    var groups: [(name: String, count: Int)] = []

    static func == (one: Sum, other: Sum) -> Bool {
      one.count == other.count && one.names == other.names && one.groups.elementsEqual(other.groups, by: ==)
    }
  }

  private struct Window {
    let began: Instant
    /// Records of their own that may still come.
    var singles: Int
    var sum = Sum()
  }

  private let singles: Int
  private let windowNanoseconds: UInt64
  private var windows: [Key: Window] = [:]
  /// Names and groups of a sum.
  private static var most: Int { 5 }

  init(singles: Int, windowNanoseconds: UInt64) {
    self.singles = singles
    self.windowNanoseconds = windowNanoseconds
  }

  /// Whether this one gets a record of its own; otherwise it is summed up under its name and group.
  mutating func tells(
    _ key: Key, now: Instant, name: @autoclosure () -> String? = nil, group: @autoclosure () -> String? = nil
  ) -> Bool {
    var window = windows[key] ?? Window(began: now, singles: singles)
    defer { windows[key] = window }
    guard window.singles == 0 else {
      window.singles -= 1
      return true
    }
    window.sum.count += 1
    if window.sum.names.count < Self.most, let name = name() { window.sum.names.append(name) }
    if let group = group() {
      if let known = window.sum.groups.firstIndex(where: { $0.name == group }) {
        window.sum.groups[known].count += 1
      } else if window.sum.groups.count < Self.most {
        window.sum.groups.append((group, 1))
      }
    }
    return false
  }

  /// The sums of the windows that have ended; `all`: of those that have not as well.
  mutating func takeDue(now: Instant, all: Bool = false) -> [(key: Key, sum: Sum)] {
    guard !windows.isEmpty else { return [] }
    var due: [(key: Key, sum: Sum)] = []
    for (key, window) in windows where all || now.nanoseconds(since: window.began) >= windowNanoseconds {
      if window.sum.count > 0 {
        due.append((key, window.sum))
        // It may go on.
        windows[key] = Window(began: now, singles: 0)
      } else {
        windows[key] = nil
      }
    }
    return due
  }
}
