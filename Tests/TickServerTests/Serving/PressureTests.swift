import EventLoop
import RoomEngine
import Testing
import WireFormat

@testable import TickServer

extension ServingTests {
  @Suite struct PressureTests {
    /// Nobody is evicted for being slow alone.
    private static var patient: RoomLimits {
      var limits = RoomLimits()
      limits.stallDeadline = .seconds(60)
      limits.lagDeadline = .seconds(600)
      return limits
    }

    private func expect(_ level: PressureLevel, _ test: TestServer, sourceLocation: SourceLocation = #_sourceLocation) {
      let isSo = eventually { test.server.pressure.level == level }
      #expect(isSo, "\(test.server.pressure.snapshot)", sourceLocation: sourceLocation)
    }

    /// Whether the connection was ended meanwhile; what it was told, if it reads it.
    private func reads(
      _ client: TestClient, sourceLocation: SourceLocation = #_sourceLocation, until condition: () -> Bool
    ) throws {
      let deadline = monotonicSeconds() + TestClient.patienceSeconds
      while !condition(), monotonicSeconds() < deadline { try client.follow(for: 0.05) }
      #expect(condition(), sourceLocation: sourceLocation)
    }

    @Test("short of memory it refuses newcomers, rooms and seats, then sheds laggards, then recovers; members play on")
    func levels() throws {
      let memory = FakeMemory()
      let kind = try TestRoom.kind(traffic: .noise(8), limits: Self.patient)
      let ledger = try withServer(
        kind,
        configure: {
          $0.memoryLimit = .bytes(FakeMemory.limit)
          $0.sendBuffer = .kib(4)
          $0.handshakeDeadline = .seconds(60)
        }, readMemory: { memory.read() }
      ) { test in
        let member = try test.member()
        let stalled = try test.connect(receiveBytes: 4096)
        stalled.send(Say.hello() + Say.join("r"))
        let idler = try test.welcomed()
        test.expectOpenConnections(3)

        memory.use(percent: 86)
        expect(.high, test)
        let goodbye = try test.connect().farewell()
        #expect(goodbye.code == CloseReason.overBudget.rawValue)
        #expect((2500...7500).contains(goodbye.retryAfterMilliseconds ?? 0))
        idler.send(Say.join("another"))
        let message = try idler.until(.joinRefused)
        let refused = try JoinRefused(message.body.span)
        #expect(refused.code == JoinRefusal.overBudget.rawValue)
        #expect((2500...7500).contains(refused.retryAfterMilliseconds ?? 0))
        // A room that is there anyway has seats left, but a player may cost the game what nobody knows.
        idler.send(Say.join("r"))
        let again = try idler.until(.joinRefused)
        let refusedSeat = try JoinRefused(again.body.span)
        #expect(refusedSeat.code == JoinRefusal.overBudget.rawValue)
        idler.close()
        test.expectOpenConnections(2)
        #expect(test.server.openRooms == 1)

        memory.use(percent: 94)
        expect(.critical, test)
        try reads(member) { test.server.openConnections == 1 }
        let frames = try #require(member.mirror).frames
        try reads(member) { (member.mirror?.frames ?? 0) > frames + 5 }

        memory.use(percent: 89)
        try member.follow(for: 0.6)
        #expect(test.server.pressure.level == .critical)
        memory.use(percent: 50)
        expect(.normal, test)
        _ = try test.member(of: "another")
        #expect(test.server.pressure.snapshot.timesHigh == 1)
        #expect(test.server.pressure.snapshot.timesCritical == 1)
      }
      // The newcomer at high, and the laggard at critical.
      #expect(ledger.closed[.overBudget] == 2, "\(ledger.closed)")
      #expect(ledger.closed[.slowConsumer] == nil)
    }

    @Test("members who don't read hold no more than laggardBudget together: those who hold most go")
    func laggards() throws {
      let budget = ByteCount.kib(256)
      let kind = try TestRoom.kind(traffic: .noise(16), limits: Self.patient)
      let ledger = try withServer(
        kind,
        configure: {
          $0.sendBuffer = .kib(4)
          $0.laggardBudget = .bytes(budget)
        }
      ) { test in
        let member = try test.member()
        let stalled = try (0..<25).map { _ in
          let client = try test.connect(receiveBytes: 4096)
          client.send(Say.hello() + Say.join("r"))
          return client
        }
        try reads(member) { test.server.openConnections == 26 && (member.mirror?.frames ?? 0) > 30 }
        // 60 KiB of answers each that nobody reads, of which the kernel takes up to 48: 300 KiB in all, against 256. No more at once than an inbox takes.
        let calls = (0..<20).flatMap { Say.call($0, TestRoom.Method.echo, [UInt8](repeating: 1, count: 1000)) }
        for _ in 0..<3 {
          for client in stalled { client.send(calls) }
          let frames = try #require(member.mirror).frames
          try reads(member) { (member.mirror?.frames ?? 0) > frames + 3 }
        }
        try reads(member) { test.server.openConnections <= 21 }
        try reads(member) { test.server.pressure.snapshot.laggardBytes <= budget.bytes }
        #expect(test.server.pressure.snapshot.laggardBytes > 0)
        #expect(test.server.openConnections >= 2)
        let frames = try #require(member.mirror).frames
        try reads(member) { (member.mirror?.frames ?? 0) > frames + 5 }
      }
      #expect((ledger.closed[.overBudget] ?? 0) >= 5, "\(ledger.closed)")
    }

    @Test("clients that never finish a message hold no more than inputBudget together; others are not refused a word")
    func unfinishedMessages() throws {
      let budget = ByteCount.kib(256)
      let ledger = try withServer(configure: {
        $0.inputBudget = .bytes(budget)
        $0.maxConnections = 20
        $0.handshakeDeadline = .seconds(60)
      }) { test in
        let member = try test.member()
        let avatar = try member.avatar()
        for _ in 0..<15 {
          let client = try test.welcomed()
          // The length of a message of 15,000 bytes, its type, and all but the end of its body.
          client.send([0x98, 0x75, 0x7F] + [UInt8](repeating: 0, count: 14_000))
        }
        // Half of the budget is 9 of them; beyond that each may have 6.4 KiB.
        try reads(member) { test.server.openConnections <= 10 }
        member.move(avatar, to: 500)
        try member.see(avatar, at: 500)
        #expect(test.server.openConnections >= 9)
      }
      #expect((ledger.closed[.overBudget] ?? 0) >= 5, "\(ledger.closed)")
    }
  }
}

/// Memory that a test decides about.
private final class FakeMemory: Sendable {
  static let limit = ByteCount.mib(1024)
  private let percent = Locked(10)

  func use(percent: Int) { self.percent.withLock { $0 = percent } }

  func read() -> MemoryReading? {
    let bytes = percent.withLock { $0 } * FakeMemory.limit.bytes / 100
    // The process's own part stays as small as it was: others use the rest.
    return MemoryReading(
      rssBytes: FakeMemory.limit.bytes / 100,
      usages: [.init(usedBytes: bytes, limitBytes: FakeMemory.limit.bytes, source: "memoryLimit")])
  }
}
