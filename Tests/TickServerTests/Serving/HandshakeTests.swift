import RoomEngine
import Testing
import WireFormat

@testable import TickServer

extension ServingTests {
  @Suite("From the first byte to Welcome")
  struct Handshake {
    @Test("a Hello may be split at every byte")
    func splitHello() throws {
      let hello = Say.hello(.token(Array("secret".utf8)))
      let ledger = try withServer(configure: { $0.authentication = .tokens(["secret"]) }) { test in
        for position in 1..<hello.count {
          let client = try test.connect()
          client.send(Array(hello[..<position]))
          pause(milliseconds: 1)
          client.send(Array(hello[position...]))
          try client.until(.welcome)
          client.close()
        }
      }
      #expect(ledger.closed == [.peerClosed: UInt64(hello.count) - 1])
    }

    @Test("a whole session may be split at every byte")
    func splitSession() throws {
      let session =
        Say.hello() + Say.ping(1) + Say.join("r") + Say.input(1, avatar: 0, x: 5)
        + Say.call(9, TestRoom.Method.echo, [1, 2])
        + Say.event([3]) + Say.ping(2)
      let ledger = try withServer(try TestRoom.kind(tickRate: 128)) { test in
        for position in 1..<session.count {
          let client = try test.connect()
          client.send(Array(session[..<position]))
          pause(milliseconds: 1)
          client.send(Array(session[position...]))
          let reply = try client.until(.reply)
          #expect(Array(reply.body[2...]) == [1, 2])
          #expect(client.seen.count { $0 == .joined } == 1)
          client.send(Say.leave())
          try client.until(.left)
          #expect(client.seen.count { $0 == .pong } == 2)
          client.close()
        }
      }
      #expect(ledger.closed == [.peerClosed: UInt64(session.count) - 1])
    }

    @Test("byte by byte works too")
    func bytewise() throws {
      try withServer { test in
        let client = try test.connect()
        for byte in Say.hello() + Say.join("r") + Say.call(1, TestRoom.Method.echo, [5]) { client.send([byte]) }
        try client.until(.reply)
      }
    }

    @Test(
      "first bytes that are no Hello end with badMagic",
      arguments: [
        Array("GET / HTTP/1.1\r\nHost: example.org\r\nUser-Agent: something\r\nAccept: */*\r\n\r\n".utf8),
        Say.raw(MessageType.hello.rawValue, Array("TOCK".utf8) + [1, 0, 0]),
        Say.raw(0x7F), Say.raw(0xFF), Say.input(1, avatar: 0, x: 1), Say.join("r"), Say.raw(MessageType.frame.rawValue),
      ])
    func badMagic(bytes: [UInt8]) throws {
      let ledger = try withServer { test in
        let client = try test.connect()
        client.send(bytes)
        try client.expectGoodbye(.badMagic, "Hello")
      }
      #expect(ledger.closed == [.badMagic: 1])
    }

    @Test("another version is refused, naming the one spoken")
    func version() throws {
      try withServer { test in
        let client = try test.connect()
        client.send(Say.raw(MessageType.hello.rawValue, Array("TICK".utf8) + [2, 0, 0]))
        try client.expectGoodbye(.versionUnsupported, "version 2 is not spoken here, only 1")
      }
    }

    @Test("a malformed Hello says what and where")
    func malformed() throws {
      try withServer { test in
        let client = try test.connect()
        client.send(Say.raw(MessageType.hello.rawValue, Array("TICK".utf8) + [1, 0, 9]))
        try client.expectGoodbye(.malformed, "credential")
      }
    }

    @Test(
      "a length of 0, or one that does not end, is malformed",
      arguments: [
        [UInt8(0)], [0x80, 0x80, 0x80, 0x80, 0x80], [0x80, 0x00],
      ])
    func badLength(bytes: [UInt8]) throws {
      try withServer { test in
        let client = try test.connect()
        client.send(bytes)
        try client.expectGoodbye(.malformed, "length")
      }
    }

    @Test("before Welcome a message has at most 4096 bytes; the length alone tells")
    func tooLargeBeforeWelcome() throws {
      try withServer { test in
        let client = try test.connect()
        client.send([0x81, 0x20])
        try client.expectGoodbye(.messageTooLarge, "4097 bytes, at most 4096")
      }
    }

    @Test("a stream that ends within a message is cleaned up and counted")
    func truncated() throws {
      let ledger = try withServer { test in
        for _ in 0..<3 {
          let client = try test.connect()
          client.send(Array(Say.hello().dropLast()))
          test.expectOpenConnections(1)
          client.close()
          test.expectOpenConnections(0)
        }
        let lost = try test.connect()
        lost.send(Array(Say.hello().dropLast()))
        test.expectOpenConnections(1)
        lost.reset()
      }
      #expect(ledger.closed == [.peerClosed: 3, .peerReset: 1])
    }

    @Test("without a token, or with a wrong one, nobody comes in")
    func tokens() throws {
      let ledger = try withServer(configure: { $0.authentication = .tokens(["right", "other"]) }) { test in
        let without = try test.connect()
        without.send(Say.hello())
        try without.expectGoodbye(.unauthorized, "needs a token")
        let wrong = try test.connect()
        wrong.send(Say.hello(.token(Array("wrong".utf8))))
        try wrong.expectGoodbye(.unauthorized, "not known")
        try test.welcomed(.token(Array("right".utf8))).join("r")
      }
      #expect(ledger.closed == [.unauthorized: 2, .peerClosed: 1])
    }

    @Test("Welcome tells the limits that hold")
    func welcome() throws {
      try withServer(configure: { $0.maxClientMessage = .kib(4) }) { test in
        let welcome = try test.connect().hello()
        #expect(welcome.version == 1)
        #expect(welcome.maxClientMessage == 4096)
        #expect(welcome.maxServerMessage == 1_048_576)
        #expect(welcome.graceSeconds == 20)
        #expect(welcome.ticket.count == 16)
      }
    }
  }
}
