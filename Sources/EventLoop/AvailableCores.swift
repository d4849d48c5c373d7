import CUV
import Glibc

/// How many loops can run at the same time: the cores this process may use, limited by the container's CPU quota.
///
/// A quota of 1.5 cores counts as 1: a second busy loop would be stopped by the kernel for part of each period, which
/// is worse for ticks than a core half used. At least 1.
/// - Parameters:
///   - fileSystemRoot: Where `/proc` and `/sys` are found; a test gives a made-up tree.
///   - affinityCores: Cores in the process's affinity mask.
package func availableCores(fileSystemRoot: String = "", affinityCores: Int = affinityMaskCores()) -> Int {
  var cores = affinityCores
  if let quota = CoreQuota(fileSystemRoot: fileSystemRoot).cores { cores = min(cores, Int(quota)) }
  return max(1, cores)
}

/// Cores in the affinity mask (`taskset`, `cpuset`); 1 where the system doesn't tell.
package func affinityMaskCores() -> Int {
  var set = cpu_set_t()
  guard sched_getaffinity(0, MemoryLayout<cpu_set_t>.size, &set) == 0 else { return 1 }
  return withUnsafeBytes(of: &set) { bits in bits.reduce(0) { $0 + $1.nonzeroBitCount } }
}

/// The CPU quota of the process's control groups, version 2 or 1.
private struct CoreQuota {
  let fileSystemRoot: String

  /// The tightest quota from the process's group up to the root, in cores; nil when there is none.
  var cores: Double? {
    var quotas: [Double] = []
    for line in (text("/proc/self/cgroup") ?? "").split(separator: "\n") {
      // hierarchy:controllers:path
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      if parts[1].isEmpty {
        quotas += quotasUpwards(from: parts[2]) { version2(in: "/sys/fs/cgroup" + $0) }
      } else if parts[1].split(separator: ",").contains("cpu") {
        for mount in ["/sys/fs/cgroup/\(parts[1])", "/sys/fs/cgroup/cpu"] {
          quotas += quotasUpwards(from: parts[2]) { version1(in: mount + $0) }
        }
      }
    }
    return quotas.min()
  }

  /// Parents limit their children. In a container the path may be the host's, and only its root exists here.
  private func quotasUpwards(from path: Substring, read: (String) -> Double?) -> [Double] {
    var steps = path.split(separator: "/")
    var quotas: [Double] = []
    while true {
      if let quota = read(steps.map { "/\($0)" }.joined()) { quotas.append(quota) }
      if steps.popLast() == nil { return quotas }
    }
  }

  /// `cpu.max` is `200000 100000` (microseconds a period) or `max 100000`.
  private func version2(in directory: String) -> Double? {
    let fields = (text(directory + "/cpu.max") ?? "").split { $0 == " " || $0 == "\n" }
    guard fields.count == 2 else { return nil }
    return ratio(Int(fields[0]), Int(fields[1]))
  }

  /// A quota of -1 is none.
  private func version1(in directory: String) -> Double? {
    ratio(number(directory + "/cpu.cfs_quota_us"), number(directory + "/cpu.cfs_period_us"))
  }

  private func ratio(_ quota: Int?, _ period: Int?) -> Double? {
    guard let quota, let period, quota > 0, period > 0 else { return nil }
    return Double(quota) / Double(period)
  }

  private func number(_ path: String) -> Int? {
    text(path)?.split(separator: "\n").first.flatMap { Int($0) }
  }

  /// These files are small; what is longer than 64 KiB is not one of them.
  private func text(_ path: String) -> String? {
    guard let file = fopen(fileSystemRoot + path, "re") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 64 * 1024)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self)
  }
}
