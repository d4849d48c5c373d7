import EventLoop
import Glibc
import RoomEngine
import Testing

@testable import TickServer

@Suite("Reading the memory")
struct MemoryReaderTests {
  private static let page = sysconf(Int32(_SC_PAGESIZE))
  private static let mebibyte = 1024 * 1024
  /// 100 pages resident.
  private static let machine = [
    "/proc/self/statm": "9000 100 50 1 0 60 0\n", "/proc/meminfo": "MemTotal: 16777216 kB\n",
    "/proc/net/sockstat": "sockets: used 9\nTCP: inuse 5 orphan 0 tw 0 alloc 8 mem 300\nUDP: inuse 1 mem 7\n",
  ]

  private func reading(
    _ files: [String: String], _ setting: MemoryLimitSetting = .auto, mostSocketBytes: Int = .max
  ) throws -> MemoryReading {
    let tree = try FileTree(files.merging(Self.machine) { one, _ in one })
    return try #require(MemoryReader(setting, files: tree.files) { mostSocketBytes }.read())
  }

  /// Used and limit of the one that is nearest to its end.
  private func worst(
    _ files: [String: String], _ setting: MemoryLimitSetting = .auto, mostSocketBytes: Int = .max
  ) throws -> (used: Int, limit: Int) {
    let worst = try #require(try reading(files, setting, mostSocketBytes: mostSocketBytes).worst)
    return (worst.usedBytes, worst.limitBytes)
  }

  @Test("without a container it is the resident memory and what the kernel holds for sockets, at most by the plan")
  func resident() throws {
    #expect(try worst([:]) == (400 * Self.page, 16384 * Self.mebibyte))
    #expect(try worst([:], .bytes(.mib(64)), mostSocketBytes: 50) == (100 * Self.page + 50, 64 * Self.mebibyte))
    #expect(try worst(["/proc/net/sockstat": "nothing"], mostSocketBytes: 50).used == 100 * Self.page)
  }

  private static func version2(_ path: String, max: String, current: Int, stat: String = "") -> [String: String] {
    [
      "/sys/fs/cgroup\(path)/memory.max": "\(max)\n", "/sys/fs/cgroup\(path)/memory.current": "\(current)\n",
      "/sys/fs/cgroup\(path)/memory.stat": stat,
    ]
  }

  private func merged(_ parts: [String: String]...) -> [String: String] {
    parts.reduce(into: [:]) { $0.merge($1) { one, _ in one } }
  }

  @Test("in version 2 it is the group's, sockets included, without what the kernel drops before it kills")
  func version2() throws {
    let group = Self.version2(
      "/game", max: "67108864", current: 50_000_000,
      stat: "anon 1\nsock 3\ninactive_file 10000000\nactive_file 5\nslab_reclaimable 5000000\nslab_unreclaimable 7\n")
    #expect(try worst(merged(["/proc/self/cgroup": "0::/game\n"], group)) == (35_000_000, 67_108_864))
  }

  @Test("a set limit does not blind it: what counts against it is the container's, sockets and all")
  func setting() throws {
    let files = merged(
      ["/proc/self/cgroup": "0::/game\n"], Self.version2("/game", max: "67108864", current: 60_000_000))
    #expect(try worst(files, .bytes(.mib(100))) == (60_000_000, 67_108_864))
    #expect(try worst(files, .bytes(.mib(48))) == (60_000_000, 48 * Self.mebibyte))
    #expect(try worst(files, .unlimited) == (60_000_000, 67_108_864))
  }

  @Test("of nested groups it is the one that is nearest to its end, which others may have filled")
  func nested() throws {
    let cgroup = ["/proc/self/cgroup": "0::/pod/game\n"]
    let own = Self.version2("/pod/game", max: "67108864", current: 20_000_000)
    let full = Self.version2("/pod", max: "134217728", current: 130_000_000)
    #expect(try worst(merged(cgroup, own, full)) == (130_000_000, 134_217_728))
    let empty = Self.version2("/pod", max: "134217728", current: 21_000_000)
    #expect(try worst(merged(cgroup, own, empty)) == (20_000_000, 67_108_864))
    let free = Self.version2("/pod/game", max: "max", current: 20_000_000)
    #expect(try worst(merged(cgroup, free, full)) == (130_000_000, 134_217_728))
  }

  @Test("memory.high has an end of its own")
  func high() throws {
    var files = merged(
      ["/proc/self/cgroup": "0::/game\n"], Self.version2("/game", max: "67108864", current: 30_000_000))
    files["/sys/fs/cgroup/game/memory.high"] = "31000000\n"
    #expect(try worst(files) == (30_000_000, 31_000_000))
  }

  @Test("in version 1 each of its two parts has its own end, where sockets are booked at all")
  func version1() throws {
    let directory = "/sys/fs/cgroup/memory/game"
    var files = [
      "/proc/self/cgroup": "7:memory:/game\n", "\(directory)/memory.limit_in_bytes": "60000000\n",
      "\(directory)/memory.usage_in_bytes": "50000000\n", "\(directory)/memory.kmem.tcp.usage_in_bytes": "30000000\n",
      "\(directory)/memory.stat": "cache 1\ninactive_file 1\ntotal_inactive_file 20000000\n",
    ]
    #expect(try worst(files) == (30_000_000, 60_000_000))
    // Half of its 60 MB, and 30 of 40 MB for sockets.
    files["\(directory)/memory.kmem.tcp.limit_in_bytes"] = "40000000\n"
    #expect(try worst(files) == (30_000_000, 40_000_000))
    #expect(try reading(files).usages.filter(\.isOfSockets).map(\.limitBytes) == [40_000_000])
    // 54 of 60 MB is 90%, whatever the sockets leave.
    files["\(directory)/memory.usage_in_bytes"] = "74000000\n"
    #expect(try worst(files) == (54_000_000, 60_000_000))
    // A set limit is for both together.
    #expect(try worst(files, .bytes(.mib(80))) == (84_000_000, 80 * Self.mebibyte))
  }

  @Test("on a hybrid system it is that of the version that has the memory controller")
  func hybrid() throws {
    let directory = "/sys/fs/cgroup/memory/game"
    let files = [
      "/proc/self/cgroup": "7:memory:/game\n0::/game\n", "/sys/fs/cgroup/unified/game/cgroup.procs": "1\n",
      "\(directory)/memory.limit_in_bytes": "60000000\n", "\(directory)/memory.usage_in_bytes": "50000000\n",
    ]
    #expect(try worst(files) == (50_000_000, 60_000_000))
  }

  @Test("limits that change while the server runs are read anew")
  func changes() throws {
    let tree = try FileTree(
      merged(
        Self.machine, ["/proc/self/cgroup": "0::/game\n"],
        Self.version2("/game", max: "67108864", current: 30_000_000)))
    let reader = MemoryReader(.auto, files: tree.files)
    #expect(reader.read()?.worst?.limitBytes == 67_108_864)
    try tree.write("/sys/fs/cgroup/game/memory.max", "40000000\n")
    #expect(reader.read()?.worst?.limitBytes == 40_000_000)
  }

  @Test("the quick number grows with the group that has the limit, or with the resident memory")
  func quick() throws {
    let group = try FileTree(
      merged(
        Self.machine, ["/proc/self/cgroup": "0::/game\n"],
        Self.version2("/game", max: "67108864", current: 30_000_000)))
    #expect(MemoryReader(.auto, files: group.files).quickBytes() == 30_000_000)
    let machine = try FileTree(Self.machine)
    #expect(MemoryReader(.auto, files: machine.files).quickBytes() == 100 * Self.page)
    let empty = try FileTree([:])
    #expect(MemoryReader(.auto, files: empty.files).quickBytes() == nil)
  }

  @Test("reads this process, and nothing where the system tells nothing")
  func real() throws {
    let reading = try #require(MemoryReader(.auto).read())
    #expect(reading.rssBytes > 1 << 20 && reading.rssBytes < 1 << 36)
    #expect(reading.quickBytes ?? 0 > 1 << 20)
    let empty = try FileTree([:])
    #expect(MemoryReader(.auto, files: empty.files).read() == nil)
  }
}
