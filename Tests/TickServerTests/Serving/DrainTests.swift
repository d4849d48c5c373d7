import RoomEngine
import Testing
import WireFormat

@testable import TickServer

extension ServingTests {
  @Suite("Stopping")
  struct Draining {
    @Test("everyone is told, wherever they are", arguments: [1, 2])
    func goodbye(loops: Int) throws {
      let ledger = try withServer(loops: loops) { test in
        let fresh = try test.connect()
        test.expectOpenConnections(1)
        let clients = [fresh, try test.welcomed(), try test.member(of: "a"), try test.member(of: "b")]
        test.server.stop()
        for client in clients {
          let goodbye = try client.farewell()
          #expect(goodbye.code == CloseReason.draining.rawValue)
          #expect(goodbye.text == "the server is shutting down")
          #expect((500...5500).contains(goodbye.retryAfterMilliseconds ?? 0))
          client.close()
        }
        #expect(test.server.stopped().count == loops)
        #expect(throws: ClientFault.self) { try test.connect() }
      }
      #expect(ledger.closed == [.draining: 4])
    }

    @Test("a stalled peer does not keep the server: it is cut off when the drain time is over")
    func stalled() throws {
      var limits = RoomLimits()
      limits.stallDeadline = .seconds(60)
      limits.lagDeadline = .seconds(60)
      let kind = try TestRoom.kind(traffic: .noise(16), limits: limits)
      let ledger = try withServer(
        kind,
        configure: {
          $0.sendBuffer = .kib(4)
          $0.drain = .milliseconds(500)
        }
      ) { test in
        let healthy = try test.member()
        let stalled = try test.connect(receiveBytes: 4096)
        stalled.send(Say.hello() + Say.join("r"))
        test.expectOpenConnections(2)
        try healthy.follow(for: 1)
        let start = monotonicSeconds()
        test.server.stop()
        try healthy.expectGoodbye(.draining, "shutting down")
        healthy.close()
        #expect(test.server.stopped().count == 1)
        // 0.5 s to drain, 0.25 s to the next look at it, and a busy machine.
        #expect(monotonicSeconds() - start < 5)
      }
      #expect(ledger.closed == [.draining: 2])
    }

    @Test("a client that reads its goodbye but never closes does not keep the server")
    func openEnded() throws {
      let ledger = try withServer(configure: { $0.drain = .milliseconds(300) }) { test in
        let client = try test.member()
        test.server.stop()
        try client.expectGoodbye(.draining, "shutting down")
        #expect(test.server.stopped().count == 1)
      }
      #expect(ledger.closed == [.draining: 1])
    }

    @Test("stopping with nobody there, and stopping twice, is fine")
    func empty() throws {
      try withServer(loops: 2) { test in
        test.server.stop()
        test.server.stop()
        #expect(test.server.stopped().count == 2)
      }
    }

    @Test("clients may come, move and vanish while the server stops")
    func busy() throws {
      for seed in 0..<5 {
        try withServer(loops: 2) { test in
          let clients = try (0..<20).map { index in
            let client = try test.connect()
            client.send(Say.hello() + Say.join("room-\(index % 7)") + Say.call(1, TestRoom.Method.echo, [1]))
            return client
          }
          pause(milliseconds: UInt32(seed) * 15)
          for client in clients.prefix(5) { client.reset() }
          test.server.stop()
          for client in clients.dropFirst(5) {
            // Those that the kernel had not handed over yet are reset.
            while let message = try client.next() { if message.type == .goodbye { break } }
            client.close()
          }
          #expect(test.server.stopped().count == 2)
        }
      }
    }
  }
}
