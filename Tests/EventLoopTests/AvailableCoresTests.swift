import EventLoop
import Glibc
import Testing

extension EventLoopTests {
  @Suite struct AvailableCoresTests {
    /// A made-up `/proc` and `/sys` with the given files, gone afterwards.
    private func cores(affinity: Int, _ files: [String: String]) throws -> Int {
      var template = Array("/tmp/cores-XXXXXX".utf8CString)
      let root = try #require(mkdtemp(&template).map { String(cString: $0) })
      var created = [root]
      defer { for path in created.reversed() { remove(path) } }
      for (path, text) in files {
        var directory = root
        for part in path.split(separator: "/").dropLast() {
          directory += "/\(part)"
          if mkdir(directory, 0o700) == 0 { created.append(directory) }
        }
        let file = try #require(fopen(root + path, "w"))
        fputs(text, file)
        fclose(file)
        created.append(root + path)
      }
      return availableCores(fileSystemRoot: root, affinityCores: affinity)
    }

    @Test("Without a quota the affinity mask decides")
    func affinityAlone() throws {
      #expect(try cores(affinity: 6, [:]) == 6)
      #expect(
        try cores(
          affinity: 6, ["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "max 100000\n"]) == 6)
      #expect(try cores(affinity: 0, [:]) == 1)
      #expect(affinityMaskCores() >= 1)
      #expect((1...affinityMaskCores()).contains(availableCores()))
    }

    @Test(
      "A version 2 quota limits, rounded down, never below one",
      arguments: [("200000 100000", 2), ("150000 100000", 1), ("50000 100000", 1), ("900000 100000", 8)])
    func version2(text: String, expected: Int) throws {
      let files = ["/proc/self/cgroup": "0::/game\n", "/sys/fs/cgroup/game/cpu.max": text + "\n"]
      #expect(try cores(affinity: 8, files) == expected)
    }

    @Test("A parent's tighter quota counts, and a path known only to the host is skipped")
    func parents() throws {
      let nested = [
        "/proc/self/cgroup": "0::/pod/game\n", "/sys/fs/cgroup/pod/game/cpu.max": "max 100000\n",
        "/sys/fs/cgroup/pod/cpu.max": "300000 100000\n",
      ]
      #expect(try cores(affinity: 8, nested) == 3)
      let foreign = ["/proc/self/cgroup": "0::/host/only\n", "/sys/fs/cgroup/cpu.max": "400000 100000\n"]
      #expect(try cores(affinity: 8, foreign) == 4)
    }

    @Test("A version 1 quota limits; -1 is none")
    func version1() throws {
      let cgroup = "5:memory:/m\n4:cpu,cpuacct:/game\n"
      let directory = "/sys/fs/cgroup/cpu,cpuacct/game"
      let limited = [
        "/proc/self/cgroup": cgroup, directory + "/cpu.cfs_quota_us": "250000\n",
        directory + "/cpu.cfs_period_us": "100000\n",
      ]
      #expect(try cores(affinity: 8, limited) == 2)
      var unlimited = limited
      unlimited[directory + "/cpu.cfs_quota_us"] = "-1\n"
      #expect(try cores(affinity: 8, unlimited) == 8)
    }

    @Test("Nonsense in the files is ignored")
    func nonsense() throws {
      let files = ["/proc/self/cgroup": "0::/\nx\n::\n", "/sys/fs/cgroup/cpu.max": "many of-them 0\n"]
      #expect(try cores(affinity: 3, files) == 3)
    }
  }
}
