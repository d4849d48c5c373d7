/// The control groups that the process is in, of version 1 and 2.
package struct ControlGroups: Sendable {
  /// A group's folder.
  package struct Group: Equatable, Sendable {
    package let isVersion2: Bool
    /// As the process sees it, `/sys/fs/cgroup/...`; it may not exist.
    package let directory: String
  }

  private struct Mount {
    /// The group that is seen at `point`: not the root in a container that sees its own part alone.
    let root: String
    let point: String
    let isVersion2: Bool
    let options: [Substring]
  }

  private let files: SystemFiles
  private let mounts: [Mount]

  package init(_ files: SystemFiles) {
    self.files = files
    mounts = Self.mounts(files.text("/proc/self/mountinfo") ?? "")
  }

  /// The process's groups for a controller (`cpu`, `memory`), each followed by its parents, which limit it too.
  package func groups(controlling controller: String) -> [Group] {
    var groups: [Group] = []
    for line in (files.text("/proc/self/cgroup") ?? "").split(separator: "\n") {
      // hierarchy:controllers:path
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      if parts[1].isEmpty {
        groups += upwards(from: parts[2], isVersion2: true, mountedAs: nil, usually: ["/sys/fs/cgroup"])
      } else if parts[1].split(separator: ",").contains(controller[...]) {
        groups += upwards(
          from: parts[2], isVersion2: false, mountedAs: controller,
          usually: ["/sys/fs/cgroup/\(parts[1])", "/sys/fs/cgroup/\(controller)"])
      }
    }
    return groups
  }

  /// In a container the path may be the host's, and only its root exists here: folders that don't are no harm.
  private func upwards(
    from path: Substring, isVersion2: Bool, mountedAs controller: String?, usually points: [String]
  ) -> [Group] {
    var places = points.map { (point: $0, path: path) }
    for mount in mounts where mount.isVersion2 == isVersion2 {
      if let controller, !mount.options.contains(controller[...]) { continue }
      let isInside = mount.root != "/" && (path == mount.root || path.hasPrefix(mount.root + "/"))
      let inner = isInside ? path.dropFirst(mount.root.count) : path
      places.removeAll { $0.point == mount.point }
      places.insert((mount.point, inner), at: 0)
    }
    return places.flatMap { place in
      var steps = place.path.split(separator: "/")
      var groups: [Group] = []
      while true {
        groups.append(Group(isVersion2: isVersion2, directory: place.point + steps.map { "/\($0)" }.joined()))
        if steps.popLast() == nil { return groups }
      }
    }
  }

  /// `36 35 0:32 /docker/1f /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory`
  private static func mounts(_ text: String) -> [Mount] {
    text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ")
      guard fields.count > 5, let dash = fields.firstIndex(of: "-"), fields.count > dash + 3 else { return nil }
      let isVersion2 = fields[dash + 1] == "cgroup2"
      guard isVersion2 || fields[dash + 1] == "cgroup" else { return nil }
      return Mount(
        root: String(fields[3]), point: String(fields[4]), isVersion2: isVersion2,
        options: fields[dash + 3].split(separator: ","))
    }
  }
}
