import RoomEngine
import Testing
import WireFormat

@Suite("Memory at run time")
struct MemoryBoundTests {
  @Test("the pressure rises at 85 and 93 percent, and falls only below 80 and 88")
  func levels() {
    var gauge = PressureGauge()
    let steps: [(Int, PressureLevel)] = [
      (84, .normal), (85, .high), (81, .high), (80, .high), (79, .normal), (92, .high), (93, .critical),
      (88, .critical), (87, .high), (95, .critical), (79, .normal), (200, .critical), (0, .normal),
    ]
    for (percent, level) in steps {
      let before = gauge.level
      #expect(gauge.note(percent * 1000, of: 100_000) == (before != level), "\(percent)%")
      #expect(gauge.level == level, "\(percent)%")
    }
  }

  @Test("half of the input budget is open to all; beyond it everybody still has a fair part")
  func input() {
    // Half of 400 on two loops: 100 here; half of 400 for ten connections: 20 each.
    var account = InputAccount(budget: ByteCount(400), loops: 2, connections: 10)
    account.add(100)
    #expect(account.allows(100))
    account.add(1)
    #expect(!account.allows(21))
    #expect(account.allows(20))
    account.add(-1)
    #expect(account.allows(100))
  }

  @Test("the worst that senders can reach together is the budget")
  func worstInput() {
    let budget = ByteCount.kib(256)
    let connections = 50
    var accounts = Array(repeating: InputAccount(budget: budget, loops: 2, connections: connections), count: 2)
    var held = Array(repeating: 0, count: connections)
    // The first take all that is open to everyone, the others their fair part.
    for sender in 0..<connections {
      while true {
        accounts[sender % 2].add(64)
        guard accounts[sender % 2].allows(held[sender] + 64) else {
          accounts[sender % 2].add(-64)
          break
        }
        held[sender] += 64
      }
    }
    let all = held.reduce(0, +)
    #expect(all <= budget.bytes)
    #expect(all > budget.bytes / 10 * 9)
  }

  @Test("a room takes no more of a flood for now, goes on with the others, and gives everything back")
  func roomInput() throws {
    let schema = try Schema([EntityKind("ball", capacity: 8, fields: [Field("spin", .bool)])])
    let kind = RoomKind("game", schema: schema) { RelayLogic(grants: []) }
    // 8 KiB open, 8 KiB / 8 = 1 KiB for each beyond that.
    let context = EngineContext(input: InputAccount(budget: .kib(16), loops: 1, connections: 8))
    let room = Room(name: "r", kind: kind, context: context, start: Instant(nanoseconds: 0), startMicroseconds: 0)
    let deliveries = (0..<2).map { Delivery(tag: $0, now: Instant(nanoseconds: 0), standings: context.standings) }
    for (session, delivery) in deliveries.enumerated() {
      room.requestSeat(
        JoinRequest(delivery: delivery, session: UInt64(session), join: Join(room: "r", roomKind: "game")))
    }
    room.run(Tick(0), now: Instant(nanoseconds: 0))
    let large = [UInt8](repeating: 0, count: 900)
    var taken = 1
    while taken < 100, room.receive(.call, large.span, from: deliveries[0], now: Instant(nanoseconds: 0)) { taken += 1 }
    #expect(taken == 9)
    let isOpen = room.receive(.call, large.span, from: deliveries[1], now: Instant(nanoseconds: 0))
    #expect(isOpen)
    #expect(!room.mayReceive(from: deliveries[0], now: Instant(nanoseconds: 0)))
    room.run(Tick(1), now: Instant(nanoseconds: 0))
    #expect(room.mayReceive(from: deliveries[0], now: Instant(nanoseconds: 0)))
    #expect(context.input.waitingBytes == 0)
    room.close(.roomClosed, "the test is over")
    #expect(context.input.waitingBytes == 0)
  }

  @Test("idle buffers that nobody needed go back, those that ticks use stay")
  func giveBack() {
    let pool = BufferPool()
    let peak = (0..<100).map { _ in pool.lease(1024) }
    for buffer in peak { pool.release(buffer) }
    pool.giveBackUnused()
    // Since the call, the pool was never below 100 idle ones but for what a tick takes.
    for _ in 0..<10 {
      let used = (0..<3).map { _ in pool.lease(1024) }
      for buffer in used { pool.release(buffer) }
    }
    pool.giveBackUnused()
    #expect(pool.usage.idleBytes == 3 * 1024)
    for buffer in (0..<3).map({ _ in pool.lease(1024) }) { pool.release(buffer) }
    pool.giveBackUnused()
    #expect(pool.usage.idleBytes == 3 * 1024)
    pool.giveBackUnused()
    #expect(pool.usage.idleBytes == 0)
    #expect(pool.usage.leasedBytes == 0)
  }
}
