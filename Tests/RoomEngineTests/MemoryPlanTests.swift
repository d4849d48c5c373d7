import RoomEngine
import Testing
import WireFormat

@Suite("The memory plan")
struct MemoryPlanTests {
  private func kind(_ change: (inout RoomLimits) -> Void = { _ in }, capacity: Int = 100) throws -> RoomKind {
    var limits = RoomLimits()
    change(&limits)
    let schema = try Schema([EntityKind("ball", capacity: 128, fields: [Field("spin", .signed(bits: 16))])])
    return RoomKind("game", schema: schema, capacity: capacity, limits: limits) { RelayLogic(grants: []) }
  }

  /// A configuration with every size fixed, so that no line depends on what others leave.
  private func fixed(_ change: (inout MemoryDemand) -> Void = { _ in }) throws -> MemoryDemand {
    var demand = MemoryDemand(kinds: [try kind()])
    demand.limit = .mib(1024)
    demand.sendBuffer = .kib(32)
    demand.receiveBuffer = .kib(16)
    demand.laggardBudget = .mib(8)
    demand.inputBudget = .mib(4)
    change(&demand)
    return demand
  }

  private func lines(_ demand: MemoryDemand) -> [String: Int] {
    Dictionary(uniqueKeysWithValues: MemoryPlan(demand).lines.map { ($0.name, $0.bytes) })
  }

  @Test("is the sum of its lines, and each line is its count times its size")
  func sum() throws {
    let plan = MemoryPlan(try fixed())
    #expect(plan.totalBytes == plan.lines.reduce(0) { $0 + $1.count * $1.bytesEach })
    #expect(plan.totalBytes == plan.processBytes + plan.kernelBytes)
    #expect(plan.headroomBytes == 1024 * 1024 * 1024 - plan.totalBytes)
    let lines = lines(try fixed())
    // The kernel books twice what is set, and takes one more offer of as much: (1,000 + 32) x (3 x 32 KiB + 2 KiB),
    // rounded up to pages.
    #expect(lines["kernel: send"] == 1032 * 100 * 1024)
    #expect(lines["kernel: receive"] == 1032 * 32 * 1024)
    #expect(lines["laggards"] == 8 * 1024 * 1024)
    #expect(lines["input"] == 2 * 4 * 1024 * 1024)
  }

  @Test("changes in the lines of the setting that was changed, in the slack and in the page tables, alone")
  func isolation() throws {
    func changed(_ change: (inout MemoryDemand) -> Void) throws -> Set<String> {
      let (before, after) = (lines(try fixed()), lines(try fixed(change)))
      return Set(before.keys.filter { before[$0] != after[$0] })
    }
    #expect(try changed { $0.sendBuffer = .kib(33) } == ["kernel: send"])
    #expect(try changed { $0.receiveBuffer = .kib(17) } == ["kernel: receive"])
    #expect(try changed { $0.laggardBudget = .mib(9) } == ["laggards", "allocator slack", "kernel: page tables"])
    #expect(try changed { $0.inputBudget = .mib(5) } == ["input", "allocator slack", "kernel: page tables"])
    #expect(try changed { $0.rooms += 1 } == ["rooms", "allocator slack", "kernel: page tables"])
    #expect(
      try changed { $0.connections += 100 } == [
        "connections", "allocator slack", "kernel: page tables", "kernel: sockets", "kernel: send", "kernel: receive",
      ])
    let larger = try kind { $0.frameLogBytes = .mib(1) }
    #expect(try changed { $0.kinds = [larger] } == ["rooms", "allocator slack", "kernel: page tables"])
  }

  @Test("counts what the kernel grants, not what is asked for")
  func kernelBound() throws {
    let demand = try fixed {
      $0.sendBuffer = .mib(4)
      $0.mostSendBuffer = .kib(208)
    }
    #expect(lines(demand)["kernel: send"] == 1032 * (3 * 208 + 4) * 1024)
  }

  @Test("counts every room as the kind that takes most, with its frame log, event log and seats")
  func rooms() throws {
    let small = try kind()
    let large = try kind({ $0.frameLogBytes = .mib(2) }, capacity: 200)
    var demand = try fixed()
    demand.kinds = [small, large, small]
    #expect(lines(demand)["rooms"] == 100 * large.memoryBytes)
    // 1.5 MiB more frame log; each seat costs at least its own KiB.
    #expect(large.memoryBytes - small.memoryBytes >= (1536 + 100) * 1024)
    #expect(try kind { $0.eventLogBytes = .kib(256) }.memoryBytes - small.memoryBytes >= 128 * 1024)
    #expect(small.memoryBytes < 1536 * 1024)
  }

  @Test("chooses what is left to auto so that the defaults fit 256 MiB, and 600 connections in 8 rooms 96 MiB")
  func auto() throws {
    var demand = MemoryDemand(kinds: [try kind()])
    demand.loops = 2
    demand.limit = .mib(256)
    let plan = MemoryPlan(demand)
    #expect(plan.fits)
    #expect((ByteCount.kib(9)...(.kib(64))).contains(plan.sizes.sendBuffer))
    demand.limit = .mib(96)
    demand.connections = 600
    demand.rooms = 8
    #expect(MemoryPlan(demand).fits)
    demand.limit = nil
    let most = MemoryPlan(demand).sizes
    #expect(most.sendBuffer == .kib(64) && most.receiveBuffer == .kib(16) && most.laggardBudget == .mib(64))
    #expect(MemoryPlan(demand).headroomBytes == nil)
  }

  @Test("whatever auto chooses under whatever limit never makes a plan that fits at its least go over it")
  func autoNeverOverspends() throws {
    var demand = MemoryDemand(kinds: [try kind()])
    var fitting = 0
    for mebibytes in stride(from: 32, through: 4096, by: 16) {
      for (connections, rooms, loops) in [(1, 1, 1), (600, 8, 2), (1000, 100, 2), (10_000, 300, 16)] {
        (demand.limit, demand.connections) = (.mib(mebibytes), connections)
        (demand.rooms, demand.loops) = (rooms, loops)
        let plan = MemoryPlan(demand)
        let isLeast = plan.sizes.sendBuffer == .kib(8) && plan.sizes.laggardBudget == .mib(2)
        #expect(plan.fits || isLeast, "\(mebibytes) MiB, \(connections) connections: \(plan.totalBytes)")
        if plan.fits { fitting += 1 }
      }
    }
    #expect(fitting > 500)
  }

  @Test("says which single change would make it fit, and that change does, but one more does not")
  func advice() throws {
    var demand = MemoryDemand(kinds: [try kind()])
    demand.limit = .mib(256)
    demand.connections = 3000
    let advice = MemoryPlan(demand).advice
    #expect(advice.map(\.setting) == ["maxConnections", "maxRooms", "memoryLimit"])
    for (path, suggestion) in [(\MemoryDemand.connections, advice[0]), (\.rooms, advice[1])] {
      let most = try #require(Int(suggestion.suggestion.dropFirst("at most ".count)))
      var changed = demand
      changed[keyPath: path] = most
      #expect(MemoryPlan(changed).fits)
      changed[keyPath: path] = most + 1
      #expect(!MemoryPlan(changed).fits)
    }
    let mebibytes = try #require(Int(advice[2].suggestion.dropLast(3)))
    demand.limit = .mib(mebibytes)
    #expect(MemoryPlan(demand).fits)
    #expect(MemoryPlan(demand).advice.isEmpty)
  }

  @Test("asks for fewer of both where neither alone is enough, and for auto where a size was set too large")
  func combinedAdvice() throws {
    var demand = MemoryDemand(kinds: [try kind()])
    demand.limit = .mib(64)
    let both = MemoryPlan(demand).advice
    #expect(both.map(\.setting) == ["maxConnections 1000 and maxRooms", "memoryLimit"])
    demand.limit = .mib(256)
    demand.laggardBudget = .mib(512)
    #expect(MemoryPlan(demand).advice.contains { $0.setting == "laggardBudget" && $0.suggestion == "auto" })
  }

  @Test("takes the largest values that settings allow without an overflow")
  func largest() throws {
    var demand = MemoryDemand(kinds: [try kind { $0.frameLogBytes = .mib(64) }])
    (demand.connections, demand.rooms, demand.loops) = (1_000_000, 65_536, 256)
    demand.limit = .mib(64)
    #expect(!MemoryPlan(demand).fits)
    #expect(!MemoryPlan(demand).advice.isEmpty)
  }

  @Test("counts what games declare, for the kind that takes most with it; says in words where nothing is declared")
  func games() throws {
    func game(_ memory: GameMemory, capacity: Int) throws -> RoomKind {
      let schema = try Schema([EntityKind("ball", capacity: 128, fields: [Field("spin", .bool)])])
      return RoomKind("game", schema: schema, capacity: capacity, memory: memory) { RelayLogic(grants: []) }
    }
    var demand = try fixed()
    demand.kinds = [try game(GameMemory(), capacity: 100)]
    let silent = try #require(MemoryPlan(demand).lines.first { $0.name == "games" })
    #expect(silent.bytes == 0)
    #expect(silent.formula.contains("declares nothing"))
    demand.kinds.append(try game(GameMemory(bytesPerRoom: .mib(1), bytesPerPlayer: .kib(64)), capacity: 50))
    let told = try #require(MemoryPlan(demand).lines.first { $0.name == "games" })
    #expect(told.bytes == 100 * (1024 + 50 * 64) * 1024)
    #expect(told.formula.contains("1MiB a room") && told.formula.contains("64KiB for each of 50 players"))
    #expect(!MemoryPlan(demand).fits || demand.limit! > .mib(400))
  }

  @Test("a declaration has bounds, as every setting")
  func declarationBounds() throws {
    let schema = try Schema([EntityKind("ball", capacity: 8, fields: [Field("spin", .bool)])])
    func fault(_ memory: GameMemory) -> String? {
      RoomKind("game", schema: schema, memory: memory) { RelayLogic(grants: []) }.fault
    }
    #expect(fault(GameMemory()) == nil)
    #expect(fault(GameMemory(bytesPerRoom: ByteCount(-1)))?.contains("memory.bytesPerRoom") == true)
    #expect(fault(GameMemory(bytesPerPlayer: .mib(1024 * 1024 + 1)))?.contains("memory.bytesPerPlayer") == true)
  }

  @Test("limits that are allowed each by itself are refused together when they end honest members")
  func combinations() throws {
    func fault(_ change: (inout RoomLimits) -> Void) -> String? {
      var limits = RoomLimits()
      change(&limits)
      return limits.fault
    }
    // The block of one busy tick is dropped as soon as it is kept.
    let events = try #require(fault { ($0.eventBytesPerTick, $0.eventLogBytes) = (.kib(512), .kib(4)) })
    for word in ["eventLogBytes", "4KiB", "eventBytesPerTick", "512KiB", "at least"] { #expect(events.contains(word)) }
    #expect(fault { ($0.eventBytesPerTick, $0.eventLogBytes) = (.kib(512), .kib(512)) } == nil)
    // Buffers are powers of two.
    #expect(fault { ($0.eventBytesPerTick, $0.eventLogBytes) = (.kib(5), .kib(7)) } != nil)
    #expect(fault { ($0.eventBytesPerTick, $0.eventLogBytes) = (.kib(5), .kib(8)) } == nil)
  }

  @Test("what one connection may hold is a number for every setting that is allowed")
  func heldBytes() throws {
    for backlog in [ByteCount.kib(4), .kib(64), .mib(4)] {
      let bound = try kind { $0.backlogBytes = backlog }.heldBytesBound
      #expect(bound >= 2 * backlog.bytes)
    }
  }

  @Test("what connections carry between loops is bounded for all together, and each may carry a message")
  func moving() {
    var budget = MovingBudget()
    var all = 0
    for _ in 0..<1000 where budget.take(64 * 1024) { all += 64 * 1024 }
    for _ in 0..<1000 {
      let isTaken = budget.take(500)
      #expect(isTaken)
      all += 500
    }
    var demand = MemoryDemand(kinds: [])
    (demand.connections, demand.loops) = (1000, 2)
    let line = MemoryPlan(demand).lines.first { $0.name == "moving" }
    #expect(all <= line?.bytes ?? 0)
    let isRefused = !budget.take(64 * 1024)
    budget.giveBack(all)
    let isTakenAgain = budget.take(64 * 1024)
    #expect(isRefused && isTakenAgain)
  }
}
