import Glibc
import RoomEngine
import Testing
import WireFormat

@testable import TickServer

extension TestServer {
  func admin(_ path: String) throws -> AdminAnswer {
    try AdminClient.get(path, port: try #require(server.adminPort))
  }

  /// Waits until an answer is as it should be; the last one in any case.
  func admin(_ path: String, until condition: (AdminAnswer) throws -> Bool) throws -> AdminAnswer {
    var answer = try admin(path)
    _ = eventually {
      if (try? condition(answer)) == true { return true }
      answer = (try? admin(path)) ?? answer
      return false
    }
    return answer
  }
}

/// Sockets of this process that listen.
private func listeningSockets() -> Int {
  (0..<1024).count { descriptor in
    var isListening: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    return getsockopt(Int32(descriptor), SOL_SOCKET, SO_ACCEPTCONN, &isListening, &size) == 0 && isListening == 1
  }
}

/// Niceness of this process's threads whose name begins so.
private func niceness(ofThreads prefix: String) -> [Int32] {
  guard let directory = opendir("/proc/self/task") else { return [] }
  defer { closedir(directory) }
  var found: [Int32] = []
  while let entry = readdir(directory) {
    let task = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    guard let thread = UInt32(task), let name = try? readText("/proc/self/task/\(task)/comm"), name.hasPrefix(prefix)
    else { continue }
    found.append(getpriority(__priority_which_t(PRIO_PROCESS.rawValue), thread))
  }
  return found
}

private func readText(_ path: String) throws -> String {
  let file = try #require(fopen(path, "r"))
  defer { fclose(file) }
  var line = [UInt8](repeating: 0, count: 64)
  let count = fread(&line, 1, line.count, file)
  return String(decoding: line.prefix(count), as: UTF8.self)
}

extension ServingTests {
  @Suite("The admin port")
  struct Admin {
    private func withAdmin(
      _ kinds: RoomKind..., loops: Int = 1, configure: (inout ServerConfiguration) -> Void = { _ in },
      body: (TestServer) throws -> Void
    ) throws {
      try withServer(
        kinds.first ?? TestRoom.kind(), loops: loops,
        configure: {
          $0.admin.port = .any
          configure(&$0)
        }, body: body)
    }

    // MARK: Health

    @Test("a running server is live and ready")
    func well() throws {
      try withAdmin(loops: 2) { test in
        _ = try test.member()
        #expect(try test.admin("/livez").body == "live\n")
        #expect(try test.admin("/readyz").body == "ready\n")
        #expect(try test.admin("/nothing").status == 404)
      }
    }

    @Test("no thread that shares locks with the loops, the allocator's among them, comes behind them")
    func priority() throws {
      try withAdmin(loops: 2) { test in
        _ = try test.admin("/livez")
        #expect(niceness(ofThreads: "tick-") == [0, 0])
        #expect(niceness(ofThreads: "NIO-ELT") == [0])
        #expect(niceness(ofThreads: "memory") == [0])
      }
    }

    @Test("from the first moment of a drain it is not ready, and live to its end; then the port is closed")
    func draining() throws {
      try withAdmin(loops: 2) { test in
        let client = try test.member()
        test.server.stop()
        // The client does not end its side: the drain goes on.
        let answer = try test.admin("/readyz")
        #expect(answer.status == 503)
        #expect(answer.body == "draining: the server is shutting down\n")
        #expect(try test.admin("/livez").status == 200)
        client.close()
        _ = test.server.stopped()
        #expect(throws: ClientFault.self) { try test.admin("/livez") }
      }
    }

    @Test(
      "a game that blocks its loop: ticks stop, then the loop counts as stuck, others do not")
    func stuckLoop() throws {
      let gate = Gate()
      try withAdmin(try StuckRoom.kind(gate), loops: 2) { test in
        defer { gate.open() }
        _ = try test.member(kind: "stuck")
        gate.close()
        let notReady = try test.admin("/readyz") { $0.status == 503 }
        #expect(notReady.body.hasPrefix("ticks stopped: loop 0 "), "\(notReady.body)")
        let notLive = try test.admin("/livez") { $0.status == 503 }
        #expect(notLive.status == 503)
        #expect(notLive.body.hasPrefix("loop 0 has not turned for "), "\(notLive.body)")
        #expect(!notLive.body.contains("loop 1"), "\(notLive.body)")
        #expect(try test.admin("/metrics").status == 200)
        #expect(try test.admin("/ledger").status == 200)
        gate.open()
        #expect(try test.admin("/livez") { $0.status == 200 }.status == 200)
        #expect(try test.admin("/readyz") { $0.status == 200 }.status == 200)
      }
    }

    // MARK: Numbers

    @Test("the ledger has exactly the names of the contract, and what happened")
    func ledger() throws {
      try withAdmin(loops: 2) { test in
        let first = try test.member(of: "a")
        let second = try test.member(of: "b")
        try test.connect().send([0xFF, 0xFF, 0xFF, 0xFF])
        var total: [String: Any] = [:]
        let answer = try test.admin("/ledger") { answer in
          total = try answer.object()["total"] as? [String: Any] ?? [:]
          return total["seats"] as? Int == 2 && (total["closed"] as? [String: Int])?.isEmpty == false
        }
        #expect(answer.head.lowercased().contains("content-type: application/json"))
        let object = try answer.object()
        #expect(Set(object.keys) == ["uptimeSeconds", "version", "balanced", "faults", "process", "total", "loops"])
        #expect(object["version"] as? String == TickServerVersion.current)
        #expect(object["balanced"] as? Bool == true)
        #expect(object["faults"] as? [String] == [])
        let process = try #require(object["process"] as? [String: Any])
        #expect(
          Set(process.keys) == ["rssBytes", "openDescriptors", "memoryLimitBytes", "planBytes", "pressure"])
        #expect((process["rssBytes"] as? Int ?? 0) > 1_000_000)
        #expect((process["openDescriptors"] as? Int ?? 0) > 5)
        #expect(process["pressure"] as? String == "normal")
        let names: Set = [
          "accepted", "movedHere", "movedAway", "open", "closing", "closingUnsentBytes", "closed", "seats", "rooms",
          "roomsOpened",
          "roomsClosed", "pool", "pinnedBytes", "skips", "resumes", "evictions", "ticks", "missedTicks",
        ]
        #expect(Set(total.keys) == names)
        let pool = try #require(total["pool"] as? [String: Any])
        #expect(Set(pool.keys) == ["leasedBuffers", "leasedBytes", "idleBytes", "highWaterBytes"])
        let loops = try #require(object["loops"] as? [[String: Any]])
        #expect(loops.map { Set($0.keys) } == [names.union(["loop"]), names.union(["loop"])])
        #expect(loops.map { $0["loop"] as? Int } == [0, 1])
        #expect(total["accepted"] as? Int == 3)
        #expect(total["open"] as? Int == 2)
        #expect(total["rooms"] as? Int == 2)
        #expect(loops.map { $0["rooms"] as? Int } == [1, 1])
        #expect(total["evictions"] as? Int == 1)
        for name in ["accepted", "movedHere", "open", "seats", "ticks"] {
          #expect(loops.compactMap { $0[name] as? Int }.reduce(0, +) == total[name] as? Int, "\(name)")
        }
        first.close()
        second.close()
      }
    }

    @Test("metrics follow what happens on the loops")
    func metrics() throws {
      try withAdmin { test in
        let client = try test.member()
        client.close()
        let page = try test.admin("/metrics") {
          $0.body.contains(#"tickserver_connections_closed_total{loop="0",reason="peerClosed"} 1"#)
            && $0.body.contains(#"tickserver_joins_total{loop="0"} 1"#)
        }.body
        for line in [
          #"tickserver_connections_accepted_total{loop="0"} 1"#, #"tickserver_connections_open{loop="0"} 0"#,
          #"tickserver_rooms{loop="0"} 1"#, #"tickserver_ledger_balanced{loop="0"} 1"#,
        ] {
          #expect(page.contains(line + "\n"), "\(line)")
        }
        let ticks = try test.admin("/metrics") { !$0.body.contains(#"tickserver_ticks_total{loop="0"} 0"#) }.body
        #expect(!ticks.contains(#"tickserver_tick_lateness_seconds_count{loop="0"} 0"#))
        #expect(!ticks.contains(#"tickserver_tick_duration_seconds_count{loop="0"} 0"#))
      }
    }

    private func openDescriptors(_ test: TestServer) throws -> Int {
      try #require((try test.admin("/ledger").object()["process"] as? [String: Any])?["openDescriptors"] as? Int)
    }

    @Test("the number of descriptors that the kernel tells is the number in the folder")
    func descriptorCount() throws {
      guard let told = ProcessReadings.descriptorsToldByKernel() else { return }
      let folder = try #require(opendir("/proc/self/fd"))
      defer { closedir(folder) }
      var count = 0
      while readdir(folder) != nil { count += 1 }
      // "." and "..", and the folder itself, which was not open before.
      #expect(abs(count - 3 - told) <= 2, "\(count - 3) counted, \(told) told; tests beside this one may open some")
    }

    /// Of this whole process: an earlier test's last ones may still be on their way out.
    private func settledDescriptors(_ test: TestServer) throws -> Int {
      var (count, same) = (try openDescriptors(test), 0)
      _ = eventually {
        let now = (try? openDescriptors(test)) ?? 0
        (count, same) = (now, now == count ? same + 1 : 0)
        return same == 50
      }
      return count
    }

    @Test("1,000 scrapes leave no descriptor")
    func descriptors() throws {
      try withAdmin { test in
        let before = try settledDescriptors(test)
        for _ in 0..<1000 { #expect(try test.admin("/metrics").status == 200) }
        let isFlat = eventually { (try? openDescriptors(test)).map { $0 <= before } ?? false }
        let after = try openDescriptors(test)
        #expect(isFlat, "\(before) before, \(after) after")
      }
    }

    // MARK: Slow and wrong clients

    @Test("clients that connect and say nothing are dropped, and keep nobody out, however many they are")
    func silent() throws {
      try withAdmin { test in
        let port = try #require(test.server.adminPort)
        let before = try settledDescriptors(test)
        let silent = try (0..<100).map { _ in try AdminClient(port: port) }
        #expect(try test.admin("/livez").status == 200)
        let held = try openDescriptors(test) - before
        #expect(
          held <= 100 + AdminConnections.most, "\(held) descriptors for 100 clients and the server's side of them")
        // Beyond the bound they go at once, the others at their deadline.
        for client in silent { #expect(try client.readToEnd() == "") }
        let isFlat = eventually { (try? openDescriptors(test)).map { $0 <= before + 100 } ?? false }
        let kept = try openDescriptors(test) - before - 100
        #expect(isFlat, "the server keeps \(kept)")
      }
    }

    @Test("a request that drips, one that never ends and garbage end the connection, not the port")
    func wrong() throws {
      try withAdmin { test in
        let port = try #require(test.server.adminPort)
        let dripping = try AdminClient(port: port)
        dripping.send("GET /livez HTTP/1.1\r\nx: ")
        let isCut = eventually {
          guard dripping.send("a") else { return true }
          pause(milliseconds: 100)
          return false
        }
        #expect(isCut)
        let endless = try AdminClient(port: port)
        // A head without an end is refused by the HTTP library as well; a body is bounded by the guard alone.
        endless.send("POST /livez HTTP/1.1\r\ncontent-length: 99999999999\r\n\r\n")
        let part = String(repeating: "a", count: 65536)
        // Sockets between the two hold some MiB; 32 MiB go through only if somebody reads them.
        let isRefused = (0..<512).contains { _ in !endless.send(part) }
        #expect(isRefused)
        let garbage = try AdminClient(port: port)
        garbage.send("\u{1}\u{2} what\r\n\r\n")
        #expect(try garbage.readToEnd().hasPrefix("HTTP/1.1 400"))
        #expect(try test.admin("/livez").status == 200)
      }
    }

    // MARK: The setting

    @Test("off opens no port")
    func off() throws {
      let before = listeningSockets()
      try withServer { test in
        #expect(test.server.adminPort == nil)
        #expect(listeningSockets() == before + 1)
      }
      try withAdmin { test in
        #expect(test.server.adminPort != nil)
        #expect(listeningSockets() == before + 2)
      }
    }

    @Test("a port that is taken is told in one line that names the setting; nothing else is left open")
    func portInUse() throws {
      let first = try ChildProcess.tickserver(admin: "any")
      let port = try first.port("admin listening")
      let end = try ChildProcess.tickserver(admin: "\(port)").exit()
      #expect(end.code == 1)
      #expect(end.text.hasPrefix("error: admin.port \(port) on admin.host 127.0.0.1: "), "\(end.text)")
      #expect(end.text.contains("ddress already in use"), "\(end.text)")
      #expect(end.text.hasSuffix("Set admin.port to another port, to any, or to off.\n"), "\(end.text)")
      #expect(end.text.split(separator: "\n").count == 1, "\(end.text)")
      // The first one's is still there.
      #expect(try AdminClient.get("/livez", port: port).status == 200)
    }
  }
}
