/// The lines of the plan, each with what it is made of.
extension MemoryPlan {
  static func lines(_ demand: MemoryDemand, _ sizes: MemorySizes) -> [Line] {
    let own = processLines(demand, sizes)
    let allocated = own.dropFirst().reduce(0) { $0.addingSaturating($1.bytes) }
    return own + [
      Line(
        name: "allocator slack", formula: "a tenth of the lines above, but for the process", count: 1,
        bytesEach: allocated / MemoryCosts.slackDivisor, isKernel: false)
    ] + kernelLines(demand, sizes, allocated: allocated)
  }

  private static func processLines(_ demand: MemoryDemand, _ sizes: MemorySizes) -> [Line] {
    func line(_ name: String, _ formula: String, _ count: Int, _ bytesEach: Int) -> Line {
      Line(name: name, formula: formula, count: count, bytesEach: bytesEach, isKernel: false)
    }
    let scratch = demand.kinds.map(\.tickScratchBytes).max() ?? 0
    let answer = MemoryCosts.adminConnection + demand.loops.multipliedSaturating(by: MemoryCosts.adminAnswerOfLoop)
    return [
      line("process", "program, runtime, C library", 1, MemoryCosts.process),
      line("log", "lines that wait, lines being written", 2, MemoryCosts.logQueue),
      line("loops", "stack, read buffer, spare requests", demand.loops, MemoryCosts.loop),
      line("tick scratch", "a frame twice, missed events", demand.loops, scratch),
      line("idle buffers", "kept for the next tick", demand.loops, sizes.idlePerLoop.bytes),
      line(
        "connections", "structures; maxConnections and \(demand.refusedConnections) being refused",
        demand.connections + demand.refusedConnections, MemoryCosts.connection),
    ] + roomLines(demand) + [
      line("laggards", "laggardBudget, the heads of buffers included", 1, sizes.laggardBudget.bytes),
      line("input", "inputBudget; arrays grow by doubling", 2, sizes.inputBudget.bytes),
      line(
        "moving", "unread bytes on their way between loops", demand.loops > 1 ? 1 : 0,
        MovingBudget.most(connections: demand.connections)),
      line("admin", "connections of the admin port: request and answer", demand.adminConnections, answer),
      line(
        "health check", "a second process of the program", demand.adminConnections > 0 ? 1 : 0,
        MemoryCosts.healthCheck),
    ]
  }

  /// Any room may be of the kind that takes most.
  private static func roomLines(_ demand: MemoryDemand) -> [Line] {
    let largest = demand.kinds.max {
      $0.memoryBytes.addingSaturating($0.gameBytes) < $1.memoryBytes.addingSaturating($1.gameBytes)
    }
    let parts = largest.map(RoomMemory.init)
    let formula =
      parts.map {
        "\(largest?.name ?? ""): frame log \(kib($0.frameLog)), event log \(kib($0.eventLog)), "
          + "keyframe \(kib($0.keyframe)), state \(kib($0.state)), seats \(kib($0.seats)), inbox \(kib($0.inbox)), "
          + "other \(kib($0.tickEvents + MemoryCosts.room))"
      } ?? "none"
    return [
      Line(name: "rooms", formula: formula, count: demand.rooms, bytesEach: parts?.total ?? 0, isKernel: false),
      Line(
        name: "games", formula: largest.map(gameFormula) ?? "none", count: demand.rooms,
        bytesEach: largest?.gameBytes ?? 0, isKernel: false),
    ]
  }

  private static func gameFormula(_ kind: RoomKind) -> String {
    guard kind.gameBytes > 0 else {
      return "\(kind.name) declares nothing of its own (RoomKind's memory); relay rooms have nothing"
    }
    return "\(kind.name) declares \(kind.memory.bytesPerRoom) a room and \(kind.memory.bytesPerPlayer) for each of "
      + "\(kind.capacity) players"
  }

  private static func kernelLines(_ demand: MemoryDemand, _ sizes: MemorySizes, allocated: Int) -> [Line] {
    let all = demand.connections + demand.refusedConnections
    func line(_ name: String, _ formula: String, _ bytesEach: Int) -> Line {
      Line(name: name, formula: formula, count: all, bytesEach: bytesEach, isKernel: true, isPerConnection: true)
    }
    let threads = demand.loops + MemoryCosts.helperThreads
    return [
      line("kernel: sockets", "tcp_sock, inode, file, epoll entry", MemoryCosts.socket),
      line("kernel: send", "twice sendBuffer, and one more offer of as much", sendBytes(demand, sizes.sendBuffer)),
      line("kernel: receive", "twice receiveBuffer", receiveBytes(demand, sizes.receiveBuffer)),
      Line(
        name: "kernel: threads", formula: "stacks and task structures", count: threads, bytesEach: MemoryCosts.thread,
        isKernel: true),
      Line(
        name: "kernel: page tables", formula: "of the program, and 8 bytes a page of what it allocates", count: 1,
        bytesEach: MemoryCosts.pageTables.addingSaturating(allocated / MemoryCosts.pageTableDivisor), isKernel: true),
    ]
  }

  /// Linux books twice what is asked for, and takes no more than its own bound. It looks whether there is room, and then
  /// takes an offer whole: each is at most as large as the buffer (decision 25).
  private static func sendBytes(_ demand: MemoryDemand, _ asked: ByteCount) -> Int {
    let granted = min(asked, demand.mostSendBuffer).bytes
    let page = MemoryCosts.page
    return (3 * granted + MemoryCosts.offerHead + page - 1) / page * page
  }

  private static func receiveBytes(_ demand: MemoryDemand, _ asked: ByteCount) -> Int {
    2 * min(asked, demand.mostReceiveBuffer).bytes
  }

  private static func kib(_ bytes: Int) -> String { "\((bytes + 1023) / 1024)KiB" }
}
