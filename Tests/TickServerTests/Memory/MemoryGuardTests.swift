import RoomEngine
import Testing

@testable import TickServer

@Suite("The guard behind the memory plan")
struct MemoryGuardTests {
  private static let limit = 64_000_000

  /// Readings of one container, in percent of its limit; all of it the server's own, unless said otherwise.
  private struct Run {
    var memory = MemoryGuard()
    var stuckMembers = 0

    mutating func read(
      _ percent: Double, after milliseconds: UInt64 = 250, ours: Double? = nil
    ) -> MemoryGuard.Judgement {
      memory.judge(Self.reading(percent, ours), after: milliseconds, stuckMembers: stuckMembers)
    }

    static func reading(_ percent: Double, _ ours: Double?) -> MemoryReading {
      func bytes(_ percent: Double) -> Int { Int(percent * Double(limit) / 100) }
      return MemoryReading(
        rssBytes: bytes(ours ?? percent),
        usages: [.init(usedBytes: bytes(percent), limitBytes: limit, source: "container")])
    }
  }

  @Test("a level that is reached closes nothing while laggards are left, then one room, and none once it is left")
  func rooms() {
    var run = Run()
    run.stuckMembers = 3
    _ = run.read(20)
    #expect(run.read(50, after: 60_000) == MemoryGuard.Judgement())
    #expect(run.read(86, after: 60_000).level == .high)
    for _ in 0..<20 {
      let judgement = run.read(94, after: 50)
      #expect(judgement.step == .none || judgement.level == .critical)
    }
    let patient = run.read(94, after: 50)
    #expect(patient.step == .none)
    run.stuckMembers = 0
    #expect(run.read(94, after: 50).step == .closeRoom)
    run.memory.returned(Run.reading(87, nil))
    let relieved = run.read(87, after: 50)
    #expect(relieved.step == .none)
  }

  @Test("near the very end nothing waits for laggards")
  func last() {
    var run = Run()
    run.stuckMembers = 100
    _ = run.read(20)
    _ = run.read(96, after: 600_000)
    #expect(run.read(96.1, after: 250).step == .none)
    #expect(run.read(97.5, after: 250).step == .closeRoom)
  }

  @Test("fast growth ends admissions before the level is reached, and closes rooms only once nobody is admitted")
  func growth() {
    var run = Run()
    _ = run.read(20)
    // 50 MiB/s: a fifth of the container between two readings.
    let first = run.read(40)
    #expect(first.level == .normal)
    #expect(first.milliseconds == MemoryGuard.busyMilliseconds)
    #expect(run.read(44, after: 50).step == .none)
    let high = run.read(66, after: 250)
    #expect(high.level == .high && high.step == .none)
    let critical = run.read(70, after: 50)
    #expect(critical.level == .critical && critical.step == .closeRoom)
  }

  @Test("a crowd that comes within the plan ends no room: once nobody is admitted it grows no more")
  func crowd() {
    var run = Run()
    _ = run.read(20)
    #expect(run.read(40).step == .none)
    #expect(run.read(60).step == .none)
    let stopped = run.read(75)
    #expect(stopped.level == .high)
    for _ in 0..<40 { #expect(run.read(75.2, after: 50).step == .none) }
    #expect(run.read(75.2, after: 50).level == .normal)
  }

  @Test("after growth admissions rest for a second, so that they do not flicker; nobody else has to go meanwhile")
  func hold() {
    var run = Run()
    _ = run.read(20)
    _ = run.read(60)
    _ = run.read(80, after: 250)
    #expect(run.read(84, after: 50).step == .closeRoom)
    run.memory.returned(Run.reading(70, nil))
    for _ in 0..<15 {
      let judgement = run.read(70, after: 50)
      #expect(judgement.level == .high && judgement.step == .none)
    }
    for _ in 0..<10 { _ = run.read(70, after: 50) }
    #expect(run.read(70, after: 50).level == .normal)
  }

  @Test("sockets that fill when a network fails close no room, in the container's memory or in a part of their own")
  func sockets() {
    var run = Run()
    _ = run.read(20, ours: 20)
    for percent in [50.0, 60, 70, 80, 90] { #expect(run.read(percent, ours: 20).step == .none) }
    var memory = MemoryGuard()
    var levels: [PressureLevel] = []
    for used in [0, 50, 99, 99, 99, 99, 99] {
      let usages = [
        MemoryReading.Usage(usedBytes: 40, limitBytes: 100, source: "process"),
        MemoryReading.Usage(usedBytes: used, limitBytes: 100, source: "sockets", isOfSockets: true),
      ]
      let judgement = memory.judge(MemoryReading(rssBytes: 40 + used, usages: usages), after: 250, stuckMembers: 0)
      levels.append(judgement.level)
      #expect(judgement.step == .none)
    }
    // Laggards are evicted, which gives sockets' memory back.
    #expect(levels == [.normal, .normal] + Array(repeating: .critical, count: 5))
  }

  @Test("where others use the memory no room is closed: it would not help")
  func others() {
    var run = Run()
    _ = run.read(60, ours: 10)
    for _ in 0..<50 {
      #expect(run.read(98, after: 250, ours: 12).step == .none)
    }
    // What the server took itself is enough to leave the level.
    #expect(run.read(98, after: 250, ours: 25).step == .closeRoom)
  }

  @Test("a container that is full at start admits nobody and closes nothing")
  func fullAtStart() {
    var run = Run()
    #expect(run.read(99, after: 0).level == .critical)
    for _ in 0..<50 { #expect(run.read(99, after: 50).step == .none) }
  }

  @Test("each limit has its own hysteresis: one that flickers does not hide another")
  func several() {
    var memory = MemoryGuard()
    func judge(_ own: Int, _ parent: Int) -> PressureLevel {
      let usages = [(own, "own"), (parent, "parent")].map {
        MemoryReading.Usage(usedBytes: $0.0 * 1000, limitBytes: 100_000, source: $0.1)
      }
      return memory.judge(MemoryReading(rssBytes: 1, usages: usages), after: 3_600_000, stuckMembers: 0).level
    }
    let levels = [judge(10, 86), judge(82, 81), judge(50, 79), judge(94, 50), judge(87, 50), judge(50, 50)]
    #expect(levels == [.high, .high, .normal, .critical, .high, .normal])
  }
}
