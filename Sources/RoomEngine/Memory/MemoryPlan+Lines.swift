/// The lines of the plan, each with what it is made of.
extension MemoryPlan {
  static func lines(_ demand: MemoryDemand, _ sizes: MemorySizes) -> [Line] {
    let own = processLines(demand, sizes)
    let slack = own.dropFirst().reduce(0) { $0.addingSaturating($1.bytes) } / MemoryCosts.slackDivisor
    return own + [
      Line(
        name: "allocator slack", formula: "a tenth of the lines above, but for the process", count: 1,
        bytesEach: slack, isKernel: false)
    ] + kernelLines(demand, sizes)
  }

  private static func processLines(_ demand: MemoryDemand, _ sizes: MemorySizes) -> [Line] {
    func line(_ name: String, _ formula: String, _ count: Int, _ bytesEach: Int) -> Line {
      Line(name: name, formula: formula, count: count, bytesEach: bytesEach, isKernel: false)
    }
    let scratch = demand.kinds.map(\.tickScratchBytes).max() ?? 0
    return [
      line("process", "program, runtime, C library", 1, MemoryCosts.process),
      line("log", "lines that wait, lines being written", 2, MemoryCosts.logQueue),
      line("loops", "stack, read buffer, spare requests", demand.loops, MemoryCosts.loop),
      line("tick scratch", "a frame twice, missed events", demand.loops, scratch),
      line("idle buffers", "kept for the next tick", demand.loops, sizes.idlePerLoop.bytes),
      line(
        "connections", "structures; maxConnections and \(demand.refusedConnections) being refused",
        demand.connections + demand.refusedConnections, MemoryCosts.connection),
      roomLine(demand),
      line("laggards", "laggardBudget", 1, sizes.laggardBudget.bytes),
      line("input", "inputBudget; arrays grow by doubling", 2, sizes.inputBudget.bytes),
    ]
  }

  /// Any room may be of the kind that takes most.
  private static func roomLine(_ demand: MemoryDemand) -> Line {
    let largest = demand.kinds.max { $0.memoryBytes < $1.memoryBytes }
    let parts = largest.map(RoomMemory.init)
    let formula =
      parts.map {
        "\(largest?.name ?? ""): frame log \(kib($0.frameLog)), event log \(kib($0.eventLog)), "
          + "keyframe \(kib($0.keyframe)), state \(kib($0.state)), seats \(kib($0.seats)), inbox \(kib($0.inbox)), "
          + "other \(kib($0.tickEvents + MemoryCosts.room))"
      } ?? "none"
    return Line(name: "rooms", formula: formula, count: demand.rooms, bytesEach: parts?.total ?? 0, isKernel: false)
  }

  private static func kernelLines(_ demand: MemoryDemand, _ sizes: MemorySizes) -> [Line] {
    func line(_ name: String, _ formula: String, _ count: Int, _ bytesEach: Int) -> Line {
      Line(name: name, formula: formula, count: count, bytesEach: bytesEach, isKernel: true)
    }
    // Linux books twice what is asked for, and takes no more than its own bound.
    let send = 2 * min(sizes.sendBuffer, demand.mostSendBuffer).bytes
    let receive = 2 * min(sizes.receiveBuffer, demand.mostReceiveBuffer).bytes
    let all = demand.connections + demand.refusedConnections
    return [
      line("kernel: sockets", "tcp_sock, inode, file, epoll entry", all, MemoryCosts.socket),
      line("kernel: send", "twice sendBuffer, at most twice net.core.wmem_max", all, send),
      line("kernel: receive", "twice receiveBuffer, at most twice net.core.rmem_max", all, receive),
    ]
  }

  private static func kib(_ bytes: Int) -> String { "\((bytes + 1023) / 1024)KiB" }
}
