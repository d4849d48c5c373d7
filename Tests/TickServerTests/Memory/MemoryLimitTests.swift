import EventLoop
import RoomEngine
import Testing

@testable import TickServer

@Suite("The memory limit")
struct MemoryLimitTests {
  private static let mebibyte = 1024 * 1024
  private static let host = ["/proc/meminfo": "MemFree:  1 kB\nMemTotal:       16777216 kB\nMemAvailable: 1 kB\n"]
  /// What version 1 writes for no limit.
  private static let none = "9223372036854771712\n"

  private func limit(_ files: [String: String], _ setting: MemoryLimitSetting = .auto) throws -> MemoryLimit? {
    let tree = try FileTree(files.merging(Self.host) { one, _ in one })
    return MemoryLimits(setting, files: tree.files).inForce
  }

  @Test("is the tightest of the version 2 group and its parents")
  func version2() throws {
    let own = try limit([
      "/proc/self/cgroup": "0::/pod/game\n", "/sys/fs/cgroup/pod/game/memory.max": "67108864\n",
      "/sys/fs/cgroup/pod/memory.max": "134217728\n", "/sys/fs/cgroup/memory.max": "max\n",
    ])
    #expect(own?.size == .mib(64))
    #expect("\(try #require(own))" == "cgroup v2, /sys/fs/cgroup/pod/game/memory.max")
    let parent = try limit([
      "/proc/self/cgroup": "0::/pod/game\n", "/sys/fs/cgroup/pod/game/memory.max": "max\n",
      "/sys/fs/cgroup/pod/memory.max": "134217728\n",
    ])
    #expect(parent?.size == .mib(128))
    #expect("\(try #require(parent))" == "cgroup v2, /sys/fs/cgroup/pod/memory.max")
  }

  @Test("is the tightest of the version 1 group and its parents; the huge number is none")
  func version1() throws {
    let cgroup = "7:memory:/pod/game\n3:cpu,cpuacct:/pod\n"
    let nested = try limit([
      "/proc/self/cgroup": cgroup, "/sys/fs/cgroup/memory/pod/game/memory.limit_in_bytes": Self.none,
      "/sys/fs/cgroup/memory/pod/memory.limit_in_bytes": "268435456\n",
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": Self.none,
    ])
    #expect(nested?.size == .mib(256))
    #expect("\(try #require(nested))" == "cgroup v1, /sys/fs/cgroup/memory/pod/memory.limit_in_bytes")
    let free = try limit([
      "/proc/self/cgroup": cgroup, "/sys/fs/cgroup/memory/pod/game/memory.limit_in_bytes": Self.none,
    ])
    #expect(free?.source == .host)
    // Socket buffers have a limit of their own there, which adds to it.
    let divided = try limit([
      "/proc/self/cgroup": cgroup, "/sys/fs/cgroup/memory/pod/memory.limit_in_bytes": "41943040\n",
      "/sys/fs/cgroup/memory/pod/memory.kmem.tcp.limit_in_bytes": "25165824\n",
    ])
    #expect(divided?.size == .mib(64))
  }

  @Test("on a hybrid system is that of the version that has the memory controller")
  func hybrid() throws {
    let found = try limit([
      "/proc/self/cgroup": "7:memory:/game\n1:name=systemd:/game\n0::/game\n",
      "/sys/fs/cgroup/unified/game/cgroup.procs": "1\n",
      "/sys/fs/cgroup/memory/game/memory.limit_in_bytes": "134217728\n",
    ])
    #expect(found?.size == .mib(128))
    #expect(found?.description.hasPrefix("cgroup v1") == true)
  }

  @Test("is found where the hierarchy is mounted, and where a container sees only its own part of it")
  func mounts() throws {
    let bindMounted = try limit([
      "/proc/self/cgroup": "7:memory:/docker/1f2e\n",
      "/proc/self/mountinfo": """
      24 1 0:22 / /proc rw shared:1 - proc proc rw
      36 30 0:32 /docker/1f2e /sys/fs/cgroup/memory ro,nosuid master:9 - cgroup cgroup rw,memory
      """,
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": "67108864\n",
    ])
    #expect(bindMounted?.size == .mib(64))
    let elsewhere = try limit([
      "/proc/self/cgroup": "0::/game\n",
      "/proc/self/mountinfo": "30 1 0:26 / /run/cgroup2 rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
      "/run/cgroup2/game/memory.max": "33554432\n",
    ])
    #expect(elsewhere?.size == .mib(32))
  }

  @Test(
    "without a usable one is the machine's memory",
    arguments: [
      [:], ["/proc/self/cgroup": "garbage\n::\n"], ["/proc/self/cgroup": "0::/game\n"],
      ["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "lots\n"],
      ["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": ""],
      ["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "-1\n"],
      ["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "0\n"],
      ["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "99999999999999999999\n"],
      // More than the machine has.
      ["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "68719476736\n"],
    ] as [[String: String]])
  func fallback(_ files: [String: String]) throws {
    let found = try limit(files)
    #expect(found?.size == .mib(16 * 1024))
    #expect(found?.source == .host)
  }

  @Test("is unknown where the system tells nothing and none is set")
  func unknown() throws {
    let empty = try FileTree([:])
    #expect(MemoryLimits(.auto, files: empty.files).inForce == nil)
    #expect(MemoryLimits(.unlimited, files: empty.files).inForce == nil)
    #expect(MemoryLimits(.bytes(.mib(64)), files: empty.files).inForce?.source == .setting)
  }

  private static let container = ["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "67108864\n"]

  @Test(
    "is the tightest of setting, container and machine: a setting lowers it, never raises it, and `unlimited` is none",
    arguments: [
      (MemoryLimitSetting.auto, 64), (.unlimited, 64), (.bytes(.mib(48)), 48), (.bytes(.mib(64)), 64),
      (.bytes(.mib(100)), 64), (.bytes(.mib(1024 * 1024)), 64),
    ])
  func tightest(_ setting: MemoryLimitSetting, _ mebibytes: Int) throws {
    let found = try #require(try limit(Self.container, setting))
    #expect(found.size == .mib(mebibytes))
    #expect((found.source == .setting) == (mebibytes == 48))
    // Without a container it is the machine's.
    let host = try #require(try limit([:], setting))
    #expect(host.size == min(.mib(16 * 1024), setting.size ?? .mib(16 * 1024)))
  }

  @Test("names both, and what to do, when the setting is above what there is; else there is nothing to say")
  func warning() throws {
    let tree = try FileTree(Self.container.merging(Self.host) { one, _ in one })
    let warning = try #require(MemoryLimits(.bytes(.mib(100)), files: tree.files).warning)
    for part in ["memoryLimit is 100MiB", "64MiB (cgroup v2, /sys/fs/cgroup/memory.max)", "auto", "at most 64MiB"] {
      #expect(warning.contains(part), "\(warning)")
    }
    for setting in [MemoryLimitSetting.auto, .unlimited, .bytes(.mib(64)), .bytes(.mib(48))] {
      #expect(MemoryLimits(setting, files: tree.files).warning == nil)
    }
  }

  @Test("above memory.high the kernel slows the process down: it limits as memory.max does, and is named")
  func high() throws {
    var files = Self.container
    files["/sys/fs/cgroup/memory.high"] = "50331648\n"
    let found = try #require(try limit(files))
    #expect(found.size == .mib(48))
    #expect("\(found)".contains("/sys/fs/cgroup/memory.high"))
    files["/sys/fs/cgroup/memory.high"] = "max\n"
    #expect(try limit(files)?.size == .mib(64))
  }

  @Test("every limit is told, tightest first, each once")
  func all() throws {
    let tree = try FileTree(
      Self.host.merging([
        "/proc/self/cgroup": "0::/pod/game\n", "/sys/fs/cgroup/pod/game/memory.max": "67108864\n",
        "/sys/fs/cgroup/pod/memory.max": "134217728\n",
      ]) { one, _ in one })
    let limits = MemoryLimits(.bytes(.mib(100)), files: tree.files).all
    #expect(limits.map(\.size) == [.mib(64), .mib(100), .mib(128), .mib(16 * 1024)])
  }
}

extension MemoryLimitSetting {
  fileprivate var size: ByteCount? { if case .bytes(let size) = self { size } else { nil } }
}
