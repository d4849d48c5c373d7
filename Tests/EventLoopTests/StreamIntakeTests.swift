import EventLoop
import Glibc
import Testing

extension EventLoopTests {
  @Suite struct StreamIntakeTests {
    private static let mark = 512

    /// Calls `body` with both ends of a connection, of which the server's lets bytes up to ``mark`` wait.
    private func withMark(_ body: @escaping (_ client: Stream, _ server: Stream, _ probe: Probe, Loop) throws -> Void)
      throws
    {
      try withLoop { loop in
        try loop.connectPair { client, server in
          let probe = Probe(server)
          server.startReading()
          #expect(server.setLowWaterMark(bytes: Self.mark))
          try body(client, server, probe, loop)
        }
      }
    }

    private func send(_ count: Int, on stream: Stream) {
      let sent = [UInt8](repeating: 7, count: count).withUnsafeBytes { stream.tryWrite($0) }
      #expect(sent == .wrote(count))
    }

    @Test("Bytes below the mark wait for whoever takes them, those at it are told")
    func waits() throws {
      try withMark { client, server, probe, loop in
        let intake = try #require(StreamIntake(server))
        let timer = try Timer(loop: loop) {
          #expect(probe.received.isEmpty, "100 bytes are below the mark")
          #expect(intake.take(into: loop.readBuffer) == 100)
          #expect(loop.readBuffer.prefix(100).allSatisfy { $0 == 7 })
          #expect(intake.take(into: loop.readBuffer) == 0)
          send(Self.mark, on: client)
        }
        probe.onRead = { [unowned probe] _, _ in
          if probe.received.count == Self.mark { loop.stop() }
        }
        send(100, on: client)
        timer.start(afterMilliseconds: 20)
      }
    }

    @Test("What waits is told when the mark is taken back")
    func takenBack() throws {
      try withMark { client, server, probe, loop in
        probe.onRead = { _, bytes in
          #expect(bytes.count == 100)
          loop.stop()
        }
        let timer = try Timer(loop: loop) {
          #expect(probe.received.isEmpty)
          #expect(server.setLowWaterMark(bytes: 1))
        }
        send(100, on: client)
        timer.start(afterMilliseconds: 20)
      }
    }

    @Test("The end is told at once, with what waited", arguments: [false, true])
    func end(isReset: Bool) throws {
      try withMark { client, server, probe, loop in
        probe.onEnd = { [unowned probe] _, end in
          #expect(end == (isReset ? .reset : .endOfStream))
          #expect(probe.received.count == 100)
          loop.stop()
        }
        send(100, on: client)
        if isReset { client.reset() } else { client.close() }
      }
    }

    /// The socket tells a reset once; libuv would not learn of it any more.
    @Test("A reset that was taken instead of bytes is passed to the stream")
    func takenReset() throws {
      try withMark { client, server, probe, loop in
        let intake = try #require(StreamIntake(server))
        probe.onEnd = { _, end in
          #expect(end == .reset)
          loop.stop()
        }
        client.reset()
        let count = intake.take(into: loop.readBuffer)
        #expect(count == Int(-ECONNRESET))
        loop.enqueue { server.readFailed(count) }
      }
    }

    @Test("An end of stream is not taken for a failure, and the stream tells it")
    func takenEnd() throws {
      try withMark { client, server, probe, loop in
        let intake = try #require(StreamIntake(server))
        probe.onEnd = { _, end in
          #expect(end == .endOfStream)
          loop.stop()
        }
        client.close()
        #expect(intake.take(into: loop.readBuffer) == 0)
      }
    }

    @Test("A stream that is closed has no intake and no mark")
    func closed() throws {
      try withMark { client, server, probe, loop in
        probe.onClose = { loop.stop() }
        server.close()
        #expect(StreamIntake(server) == nil)
        #expect(!server.setLowWaterMark(bytes: 1))
      }
    }
  }
}
