import EventLoop
import Testing

extension EventLoopTests {
  @Suite struct StreamEndingTests {
    /// More than loopback's kernel buffers take, so that a write of it stays in flight.
    private static let hugeBytes = 32_000_000

    private static func fill(_ stream: Stream, from pump: Pump) throws {
      // Twice at most: one partial write, one that blocks.
      while case .wrote = stream.tryWrite(UnsafeRawBufferPointer(pump.bytes)) {}
      try stream.write(UnsafeRawBufferPointer(pump.bytes))
      #expect(stream.writeInFlight)
    }

    @Test("A peer's close is an end of stream, told once")
    func endOfStream() throws {
      try withLoop { loop in
        try loop.connectPair { client, server in
          let probe = Probe(server)
          probe.onEnd = { stream, end in
            #expect(end == .endOfStream)
            stream.startReading()
            stream.close()
          }
          probe.onClose = { [unowned probe] in
            #expect(probe.events == ["end endOfStream", "closed"])
            loop.stop()
          }
          server.startReading()
          client.close()
        }
      }
    }

    @Test("A peer's reset is a reset, and writing after it fails")
    func reset() throws {
      try withLoop { loop in
        try loop.connectPair { client, server in
          let probe = Probe(server)
          probe.onEnd = { stream, end in
            #expect(end == .reset)
            [UInt8](repeating: 1, count: 10).withUnsafeBytes { bytes in
              guard case .failed(let error) = stream.tryWrite(bytes) else {
                Issue.record("writing to a reset connection succeeded")
                return
              }
              #expect(error.name == "EPIPE")
            }
            loop.stop()
          }
          server.startReading()
          client.reset()
        }
      }
    }

    @Test("A reset that comes with the last bytes is still a reset")
    func resetBehindBytes() throws {
      try withLoop { loop in
        try loop.connectPair { client, server in
          let probe = Probe(server)
          probe.onEnd = { stream, end in
            #expect(end == .reset)
            loop.stop()
          }
          let sent = [UInt8](repeating: 1, count: 10).withUnsafeBytes { client.tryWrite($0) }
          #expect(sent == .wrote(10))
          client.reset()
          // Both are there before the first look.
          server.startReading()
        }
      }
    }

    @Test("A write in flight fails when the peer resets")
    func writeFailsAfterReset() throws {
      try withLoop { loop in
        try loop.connectPair { client, server in
          let probe = Probe(server)
          let pump = Pump(.init(repeating: 5, count: Self.hugeBytes), seed: 1)
          try Self.fill(server, from: pump)
          probe.onWrite = { stream, error in
            #expect(["ECONNRESET", "EPIPE"].contains(error?.name))
            #expect(!stream.writeInFlight)
            _ = pump
            stream.close()
          }
          probe.onClose = { loop.stop() }
          client.reset()
        }
      }
    }

    @Test("Closing with a write in flight cancels the write, then closes, each once")
    func closeWithWriteInFlight() throws {
      try withLoop { loop in
        try loop.connectPair { client, server in
          let probe = Probe(server)
          let pump = Pump(.init(repeating: 5, count: Self.hugeBytes), seed: 1)
          try Self.fill(server, from: pump)
          probe.onWrite = { stream, _ in
            // Already closing: does nothing.
            stream.close()
            _ = pump
          }
          probe.onClose = { [unowned probe] in
            #expect(probe.events == ["write ECANCELED", "closed"])
            #expect(loop.gauges.streams == 1)
            client.close()
            loop.stop()
          }
          server.close()
          server.close()
          #expect(!server.isOpen)
          #expect(loop.gauges.streams == 2, "counted down by the close callback, not by close()")
        }
      }
    }

    @Test("A stream closed inside its own read callback reads no more")
    func closeInsideRead() throws {
      try withLoop { loop in
        try loop.connectPair { client, server in
          let probe = Probe(server)
          let pump = Pump(.init(repeating: 9, count: 500_000), seed: 2)
          let clientProbe = Probe(client)
          clientProbe.onWrite = { stream, _ in
            _ = pump
            stream.close()
          }
          probe.onRead = { stream, _ in
            stream.close()
            stream.close()
          }
          probe.onClose = { [unowned probe] in
            #expect(probe.events == ["closed"])
            #expect(probe.received.count <= Loop.readBufferBytes)
            loop.stop()
          }
          server.startReading()
          try pump.pump(into: client)
        }
      }
    }

    @Test("A stream closed inside its own write callback is closed once")
    func closeInsideWrite() throws {
      try withLoop { loop in
        try loop.connectPair { client, server in
          let probe = Probe(client)
          let pump = Pump(.init(repeating: 9, count: 100), seed: 2)
          probe.onWrite = { stream, error in
            #expect(error == nil)
            _ = pump
            stream.close()
            stream.close()
          }
          probe.onClose = { [unowned probe] in
            #expect(probe.events == ["write ok", "closed"])
            loop.stop()
          }
          try client.write(UnsafeRawBufferPointer(pump.bytes))
          _ = server
        }
      }
    }

    @Test("A closed stream refuses work instead of touching a descriptor that may be someone else's")
    func afterClose() throws {
      try withLoop { loop in
        try loop.connectPair { client, server in
          let bytes: [UInt8] = [1, 2, 3]
          client.close()
          bytes.withUnsafeBytes { bytes in
            guard case .failed = client.tryWrite(bytes) else {
              Issue.record("a closed stream took bytes")
              return
            }
            #expect(throws: LoopError.self) { try client.write(bytes) }
          }
          #expect(throws: LoopError.self) { try client.detachDescriptor() }
          client.startReading()
          client.stopReading()
          client.closeAfterFlush()
          client.reset()
          #expect(client.pendingWriteBytes == 0)
          server.delegate = nil
          loop.stop()
        }
      }
    }

    @Test("closeAfterFlush delivers everything in flight, although the peer keeps sending, and ends when the peer does")
    func closeAfterFlush() throws {
      try withLoop { loop in
        try loop.connectPair { client, server in
          _ = try server.setBufferSizes(sendBytes: 65_536, receiveBytes: nil)
          let content = randomBytes(Self.hugeBytes / 4, seed: 5)
          let pump = Pump(content, seed: 5)
          let noise = Pump(.init(repeating: 7, count: 100_000), seed: 6)
          let serverProbe = Probe(server)
          let clientProbe = Probe(client)
          clientProbe.onWrite = { _, _ in _ = noise }
          clientProbe.onEnd = { stream, end in
            #expect(end == .endOfStream)
            #expect(server.isOpen, "waits for the peer")
            stream.close()
          }
          serverProbe.onClose = { [unowned serverProbe] in
            _ = pump
            #expect(serverProbe.events == ["write ok", "closed"])
            #expect(serverProbe.received.isEmpty, "input is discarded")
            #expect(clientProbe.received == content)
            loop.stop()
          }
          try server.write(UnsafeRawBufferPointer(pump.bytes))
          server.closeAfterFlush()
          server.closeAfterFlush()
          try noise.pump(into: client)
          client.startReading()
        }
      }
    }

    @Test("closeAfterFlush finishes its write even when the peer's end arrives first")
    func closeAfterFlushAtBothEnds() throws {
      try withLoop { loop in
        try loop.connectPair { client, server in
          let pump = Pump(.init(repeating: 3, count: Self.hugeBytes), seed: 1)
          let probe = Probe(server)
          probe.onClose = { [unowned probe] in
            _ = pump
            #expect(probe.events == ["write ok", "closed"])
            loop.stop()
          }
          try Self.fill(server, from: pump)
          client.closeAfterFlush()
          let later = try Timer(loop: loop) { server.closeAfterFlush() }
          later.start(afterMilliseconds: 5)
        }
      }
    }

    @Test("A closed stream lets go of the delegate that owns it, and both are freed")
    func closedStreamIsFreed() throws {
      weak var stream: Stream?
      weak var delegate: Owner?
      try withLoop { loop in
        try loop.connectPair { _, server in
          stream = server
          let owner = Owner(server)
          delegate = owner
          loop.stop()
        }
      }
      #expect(stream == nil)
      #expect(delegate == nil)
    }

    @Test("reset works after closeAfterFlush, for a peer that never ends")
    func resetAfterFlush() throws {
      try withLoop { loop in
        try loop.connectPair { client, server in
          let clientProbe = Probe(client)
          clientProbe.onEnd = { stream, end in
            if end == .endOfStream { server.reset() }
          }
          let serverProbe = Probe(server)
          serverProbe.onClose = { loop.stop() }
          client.startReading()
          server.closeAfterFlush()
        }
      }
    }

    @Test("Stopping the loop closes everything still open, and cancels what is in flight")
    func stopClosesAll() throws {
      let bytes = Pump(.init(repeating: 5, count: Self.hugeBytes), seed: 1)
      var probe: Probe?
      try withLoop { loop in
        try loop.connectPair { _, server in
          probe = Probe(server)
          try Self.fill(server, from: bytes)
          _ = try TickTimer(loop: loop) { _, _ in }
          loop.stop()
          #expect(throws: LoopError.self) { try Timer(loop: loop) {} }
          #expect(throws: LoopError.self) { try TickTimer(loop: loop) { _, _ in } }
          #expect(throws: LoopError.self) {
            try Listener(loop: loop, host: "127.0.0.1", port: 0, onAccept: { _ in }, onError: { _ in })
          }
        }
      }
      #expect(probe?.events == ["write ECANCELED", "closed"])
    }

    @Test("A thousand connections opened and closed in every way leave nothing behind")
    func manyCycles() throws {
      try withLoop { loop in
        var remaining = 1_000
        func next() {
          guard remaining > 0 else { return loop.stop() }
          remaining -= 1
          let way = remaining
          Stream.connect(loop: loop, host: "127.0.0.1", port: listenerPort) { result in
            guard let client = try? result.get() else { return loop.failAndStop("connect failed") }
            switch way % 4 {
            case 0: client.close()
            case 1: client.reset()
            case 2: client.closeAfterFlush()
            default:
              client.tryWrite([1, 2, 3])
              client.close()
            }
            next()
          }
        }
        var listenerPort: UInt16 = 0
        let listener = try Listener(
          loop: loop, host: "127.0.0.1", port: 0,
          onAccept: { stream in
            let probe = Probe(stream)
            probe.onEnd = { stream, _ in stream.close() }
            stream.startReading()
          }, onError: { loop.failAndStop("\($0)") })
        listenerPort = listener.port
        next()
      }
    }
  }
}

/// Keeps its stream, as a connection does, while the stream keeps its delegate.
private final class Owner: StreamDelegate {
  private let stream: Stream

  init(_ stream: Stream) {
    self.stream = stream
    stream.delegate = self
  }

  func stream(_ stream: Stream, didRead bytes: UnsafeRawBufferPointer) {}
  func streamDidEnd(_ stream: Stream, _ end: StreamEnd) {}
  func stream(_ stream: Stream, didCompleteWrite error: LoopError?) {}
}

extension Stream {
  fileprivate func tryWrite(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { _ = tryWrite($0) }
  }
}
