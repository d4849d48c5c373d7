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
  if let quota = CoreQuota(files: SystemFiles(root: fileSystemRoot)).cores { cores = min(cores, Int(quota)) }
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
  let files: SystemFiles

  /// The tightest quota from the process's group up to the root, in cores; nil when there is none.
  var cores: Double? {
    ControlGroups(files).groups(controlling: "cpu")
      .compactMap { $0.isVersion2 ? version2(in: $0.directory) : version1(in: $0.directory) }
      .min()
  }

  /// `cpu.max` is `200000 100000` (microseconds a period) or `max 100000`.
  private func version2(in directory: String) -> Double? {
    let fields = (files.text(directory + "/cpu.max") ?? "").split { $0 == " " || $0 == "\n" }
    guard fields.count == 2 else { return nil }
    return ratio(Int(fields[0]), Int(fields[1]))
  }

  /// A quota of -1 is none.
  private func version1(in directory: String) -> Double? {
    ratio(files.number(directory + "/cpu.cfs_quota_us"), files.number(directory + "/cpu.cfs_period_us"))
  }

  private func ratio(_ quota: Int?, _ period: Int?) -> Double? {
    guard let quota, let period, quota > 0, period > 0 else { return nil }
    return Double(quota) / Double(period)
  }
}
