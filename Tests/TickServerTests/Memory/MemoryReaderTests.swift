import EventLoop
import Glibc
import RoomEngine
import Testing

@testable import TickServer

@Suite("Reading the memory")
struct MemoryReaderTests {
  private static let page = sysconf(Int32(_SC_PAGESIZE))

  private func read(_ files: [String: String]) throws -> MemoryReading? {
    let tree = try FileTree(
      files.merging(["/proc/self/statm": "9000 100 50 1 0 60 0\n", "/proc/meminfo": "MemTotal: 16777216 kB\n"]) {
        a, _ in a
      })
    return MemoryReader(limit: MemoryLimit(.auto, files: tree.files), files: tree.files).read()
  }

  @Test("without a container's limit it is the resident memory")
  func resident() throws {
    let reading = try read([:])
    #expect(reading == MemoryReading(rssBytes: 100 * Self.page, usedBytes: 100 * Self.page))
  }

  @Test("in version 2 it is the group's, sockets included, without file pages that nobody uses")
  func version2() throws {
    let reading = try read([
      "/proc/self/cgroup": "0::/game\n", "/sys/fs/cgroup/game/memory.max": "67108864\n",
      "/sys/fs/cgroup/game/memory.current": "50000000\n",
      "/sys/fs/cgroup/game/memory.stat": "anon 1\nsock 3\ninactive_file 10000000\nactive_file 5\n",
    ])
    #expect(reading?.usedBytes == 40_000_000)
  }

  @Test(
    "in version 1 it is the group's and its sockets', where those are booked at all; the part that can kill counts most"
  )
  func version1() throws {
    let directory = "/sys/fs/cgroup/memory/game"
    var files = [
      "/proc/self/cgroup": "7:memory:/game\n", "\(directory)/memory.limit_in_bytes": "60000000\n",
      "\(directory)/memory.usage_in_bytes": "50000000\n", "\(directory)/memory.kmem.tcp.usage_in_bytes": "30000000\n",
      "\(directory)/memory.stat": "cache 1\ninactive_file 1\ntotal_inactive_file 20000000\n",
    ]
    #expect(try read(files)?.usedBytes == 30_000_000)
    // Half of its 60 MB, and 30 of 40 MB for sockets: 60 of 100 in all.
    files["\(directory)/memory.kmem.tcp.limit_in_bytes"] = "40000000\n"
    #expect(try read(files)?.usedBytes == 60_000_000)
    // 54 of 60 MB is 90%, whatever the sockets leave.
    files["\(directory)/memory.usage_in_bytes"] = "74000000\n"
    files["\(directory)/memory.kmem.tcp.usage_in_bytes"] = "0\n"
    #expect(try read(files)?.usedBytes == 90_000_000)
  }

  @Test("a limit for sockets that is set while the server runs is taken, whatever it leaves of the one known before")
  func socketLimitSetLater() throws {
    let directory = "/sys/fs/cgroup/memory/game"
    var files = [
      "/proc/self/statm": "1000 500 1\n", "/proc/self/cgroup": "7:memory:/game\n",
      "\(directory)/memory.limit_in_bytes": "60000000\n", "\(directory)/memory.usage_in_bytes": "30000000\n",
      "\(directory)/memory.kmem.tcp.usage_in_bytes": "10000000\n",
    ]
    let before = try FileTree(files)
    let known = MemoryLimit(.auto, files: before.files)
    for (limit, used) in [("60000000", 40_000_000), ("70000000", 40_000_000), ("59999999", 120_000_000)] {
      files["\(directory)/memory.kmem.tcp.limit_in_bytes"] = limit
      let tree = try FileTree(files)
      #expect(MemoryReader(limit: known, files: tree.files).read()?.usedBytes == used)
    }
  }

  @Test("reads this process, and nothing where the system tells nothing")
  func real() throws {
    let reading = try #require(MemoryReader(limit: nil).read())
    #expect(reading.rssBytes > 1 << 20 && reading.rssBytes < 1 << 36)
    let empty = try FileTree([:])
    #expect(MemoryReader(limit: nil, files: empty.files).read() == nil)
  }
}
