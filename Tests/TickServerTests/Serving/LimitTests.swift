import RoomEngine
import Testing
import WireFormat

@testable import TickServer

extension ServingTests {
  @Suite("Limits of connections and their deadlines")
  struct Limits {
    @Test("above the limit a connection is told so, and a place that is free is given again")
    func connectionLimit() throws {
      let ledger = try withServer(configure: { $0.maxConnections = 2 }) { test in
        let first = try test.welcomed()
        _ = try test.welcomed()
        let third = try test.connect()
        third.send(Say.hello())
        let goodbye = try third.farewell()
        #expect(goodbye.code == CloseReason.connectionLimit.rawValue)
        #expect(goodbye.text == "all 2 connections are in use")
        #expect((500...1500).contains(goodbye.retryAfterMilliseconds ?? 0))
        first.close()
        test.expectOpenConnections(1)
        _ = try test.welcomed()
      }
      #expect(ledger.closed == [.connectionLimit: 1, .peerClosed: 3])
    }

    @Test("a flood above the limit does not take the descriptors of those inside")
    func flood() throws {
      try withServer(configure: { $0.maxConnections = 1 }) { test in
        let inside = try test.welcomed()
        let flood = try (0..<300).map { _ in try test.connect() }
        let told = try flood.count { client in
          while let message = try client.next() { if message.type == .goodbye { return true } }
          return false
        }
        #expect(told == flood.count)
        inside.send(Say.ping(1))
        try inside.until(.pong)
      }
    }

    @Test("one address has no more connections than allowed")
    func perAddress() throws {
      let ledger = try withServer(configure: { $0.maxConnectionsPerAddress = .atMost(1) }) { test in
        let first = try test.welcomed()
        try test.connect().expectGoodbye(.connectionLimit, "all 1 connections from this address are in use, or kept")
        first.close()
        test.expectOpenConnections(0)
        _ = try test.welcomed()
      }
      #expect(ledger.closed == [.connectionLimit: 1, .peerClosed: 2])
    }

    @Test("who says nothing, half a Hello, or never joins, is gone after the handshake deadline")
    func handshakeTimeout() throws {
      let ledger = try withServer(configure: { $0.handshakeDeadline = .milliseconds(300) }) { test in
        let silent = try test.connect()
        let half = try test.connect()
        half.send(Array(Say.hello().prefix(3)))
        let lobby = try test.welcomed()
        for client in [silent, half, lobby] { try client.expectGoodbye(.handshakeTimeout, "no Hello and Join within") }
      }
      #expect(ledger.closed == [.handshakeTimeout: 3])
    }

    @Test("who has joined is not bound by the handshake deadline")
    func joined() throws {
      try withServer(configure: { $0.handshakeDeadline = .milliseconds(200) }) { test in
        let client = try test.member()
        try client.follow(for: 1)
        client.send(Say.ping(1))
        try client.until(.pong)
      }
    }

    @Test("who never answers is gone after the idle deadline; who answers pings stays")
    func idle() throws {
      let ledger = try withServer(configure: {
        $0.idleDeadline = .seconds(1)
        $0.pingInterval = .milliseconds(200)
      }) { test in
        let deaf = try test.member()
        deaf.answersPings = false
        let alive = try test.member()
        let deadline = monotonicSeconds() + 2.5
        while monotonicSeconds() < deadline { try alive.follow(for: 0.05) }
        try deaf.expectGoodbye(.idle, "nothing was received for 1.0 seconds")
        #expect(alive.seen.contains(.ping))
        alive.send(Say.ping(1))
        try alive.until(.pong)
      }
      #expect(ledger.closed == [.idle: 1, .peerClosed: 1])
    }

    @Test("no Ping comes before Welcome")
    func quietHandshake() throws {
      try withServer(configure: {
        $0.handshakeDeadline = .seconds(2)
        $0.idleDeadline = .seconds(10)
        $0.pingInterval = .milliseconds(100)
      }) { test in
        let client = try test.connect()
        try client.expectGoodbye(.handshakeTimeout, "no Hello")
        #expect(client.seen == [.goodbye])
      }
    }

    // MARK: Slow peers

    @Test("a peer that never reads is evicted, told or not, while others get every frame")
    func stalledPeer() throws {
      var limits = RoomLimits()
      limits.stallDeadline = .seconds(1)
      limits.lagDeadline = .seconds(2)
      let kind = try TestRoom.kind(traffic: .noise(16), limits: limits)
      let ledger = try withServer(kind, configure: { $0.sendBuffer = .kib(4) }) { test in
        let healthy = try test.member()
        let stalled = try test.connect(receiveBytes: 4096)
        stalled.send(Say.hello() + Say.join("r"))
        test.expectOpenConnections(2)
        let deadline = monotonicSeconds() + TestClient.patienceSeconds
        var isGone = false
        while !isGone, monotonicSeconds() < deadline {
          try healthy.follow(for: 0.05)
          isGone = test.server.openConnections == 1
        }
        #expect(isGone)
        let mirror = try #require(healthy.mirror)
        #expect(mirror.keyframes == 1)
        #expect(mirror.frames > 5)
        // Out of the room first: a frame written to a closed socket would end it for another reason.
        healthy.send(Say.leave())
        try healthy.until(.left)
      }
      #expect(ledger.closed == [.slowConsumer: 1, .peerClosed: 1])
    }

    @Test("a peer that stalls in the lobby is gone too")
    func stalledLobby() throws {
      let ledger = try withServer(configure: {
        $0.sendBuffer = .kib(4)
        $0.handshakeDeadline = .seconds(1)
        $0.joinBurst = 100
      }) { test in
        let client = try test.connect(receiveBytes: 4096)
        // None are open before it is accepted either.
        test.expectOpenConnections(1)
        client.send(Say.hello())
        // Refusals that nobody reads fill the socket, then the backlog.
        for _ in 0..<60 { client.send(Say.join(String(repeating: "?", count: 500))) }
        test.expectOpenConnections(0)
      }
      let reasons = Set(ledger.closed.keys)
      #expect(reasons.isSubset(of: [.slowConsumer, .handshakeTimeout, .rateLimited]), "\(ledger.closed)")
    }

    @Test("a peer that never ends its side is closed after a goodbye all the same")
    func lingering() throws {
      try withServer { test in
        let client = try test.connect()
        client.send(Say.raw(0x7F))
        try client.expectGoodbye(.badMagic, "Hello")
        // Its own end stays open; only the server's deadline can end it.
        test.expectOpenConnections(0)
      }
    }
  }
}
