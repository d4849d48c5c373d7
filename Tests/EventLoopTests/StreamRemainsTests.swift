import EventLoop
import Glibc
import Testing

/// What the kernel has of a connection, as `/proc/net/tcp` tells: nil when it has forgotten it.
private struct KernelSocket {
  /// As in `include/net/tcp_states.h`.
  let state: Int
  let unsentBytes: Int

  /// Of the two ends over loopback, the one with this local port.
  static func find(local: UInt16, peer: UInt16) -> KernelSocket? {
    for line in lines("/proc/net/tcp") {
      let words = line.split(separator: " ")
      guard words.count > 4, port(words[1]) == local, port(words[2]) == peer,
        let state = Int(words[3], radix: 16), let queue = words[4].split(separator: ":").first,
        let unsent = Int(queue, radix: 16)
      else { continue }
      return KernelSocket(state: state, unsentBytes: unsent)
    }
    return nil
  }

  private static func port(_ endpoint: Substring) -> UInt16? {
    endpoint.split(separator: ":").last.flatMap { UInt16($0, radix: 16) }
  }

  private static func lines(_ path: String) -> [Substring] {
    guard let file = fopen(path, "r") else { return [] }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
  }
}

/// Both ends of a connection whose client reads nothing and whose server has more than the client's window for it.
private struct Stuck {
  let client: Stream
  let server: Stream
  private let clientPort: UInt16
  private let serverPort: UInt16

  init(_ client: Stream, _ server: Stream) throws {
    (self.client, self.server) = (client, server)
    clientPort = try #require(server.peerAddress).port
    serverPort = try #require(client.peerAddress).port
    _ = try server.setBufferSizes(sendBytes: 65_536, receiveBytes: nil)
    let bytes = [UInt8](repeating: 7, count: 10_000)
    while case .wrote = bytes.withUnsafeBytes({ server.tryWrite($0) }) {}
    #expect(server.unsentBytes > 10_000)
    #expect(!server.writeInFlight)
  }

  /// The server's end, as the kernel has it.
  var kernel: KernelSocket? { KernelSocket.find(local: serverPort, peer: clientPort) }
}

extension EventLoopTests {
  /// What the kernel keeps when streams end in every way: asked of the kernel.
  @Suite struct StreamRemainsTests {
    private func withStuck(_ body: @escaping (Loop, Stuck) throws -> Void) throws {
      try withLoop { loop in
        try loop.connectPair { client, server in try body(loop, try Stuck(client, server)) }
      }
    }

    @Test("A close with bytes unsent resets: the kernel keeps nothing", arguments: [true, false])
    func close(peerHasEnded: Bool) throws {
      try withStuck { loop, stuck in
        let probe = Probe(stuck.server)
        let clientProbe = Probe(stuck.client)
        probe.onEnd = { stream, _ in stream.close() }
        probe.onClose = {
          #expect(stuck.kernel == nil)
          stuck.client.startReading()
        }
        clientProbe.onEnd = { _, end in
          #expect(end == .reset)
          loop.stop()
        }
        if peerHasEnded {
          stuck.client.finish()
          stuck.client.stopReading()
          stuck.server.startReading()
        } else {
          stuck.server.close()
        }
      }
    }

    @Test("A close after everything was acknowledged is an end of stream")
    func closeAcknowledged() throws {
      try withLoop { loop in
        try loop.connectPair { client, server in
          let probe = Probe(client)
          probe.onEnd = { _, end in
            #expect(end == .endOfStream)
            #expect(probe.received == [1, 2, 3])
            loop.stop()
          }
          _ = [UInt8]([1, 2, 3]).withUnsafeBytes { server.tryWrite($0) }
          client.startReading()
          let look = try Timer(loop: loop) { if server.unsentBytes == 0 { server.close() } }
          look.start(everyMilliseconds: 1)
        }
      }
    }

    @Test("A loop that stops resets what has bytes unsent")
    func stop() throws {
      var stuck: Stuck?
      try withStuck { loop, found in
        stuck = found
        loop.stop()
      }
      #expect(try #require(stuck).kernel == nil)
    }

    @Test("finish keeps descriptor and bytes until its owner resets, though the peer has ended")
    func finish() throws {
      try withStuck { loop, stuck in
        let probe = Probe(stuck.server)
        probe.onEnd = { stream, end in
          #expect(end == .endOfStream)
          stream.finish()
          #expect(stream.isOpen)
          #expect(stream.unsentBytes > 10_000)
          #expect(stuck.kernel?.unsentBytes ?? 0 > 10_000)
          stream.reset()
        }
        probe.onClose = { [unowned probe] in
          #expect(probe.events == ["end endOfStream", "closed"])
          #expect(stuck.kernel == nil)
          loop.stop()
        }
        stuck.server.startReading()
        stuck.client.finish()
        stuck.client.stopReading()
      }
    }

    @Test("finish tells of a peer that ends later, and discards what it says before")
    func finishFirst() throws {
      try withLoop { loop in
        try loop.connectPair { client, server in
          let probe = Probe(server)
          let clientProbe = Probe(client)
          clientProbe.onEnd = { stream, _ in
            _ = [UInt8](repeating: 1, count: 100).withUnsafeBytes { stream.tryWrite($0) }
            stream.closeAfterFlush()
          }
          probe.onEnd = { stream, _ in
            #expect(stream.unsentBytes == 0)
            stream.close()
          }
          probe.onClose = { [unowned probe] in
            #expect(probe.events == ["end endOfStream", "closed"])
            #expect(probe.received.isEmpty)
            loop.stop()
          }
          client.startReading()
          server.finish()
          server.finish()
        }
      }
    }

    @Test("closeAfterFlush waits for a peer that has ended and not yet taken everything")
    func closeAfterFlushWaits() throws {
      try withStuck { loop, stuck in
        let probe = Probe(stuck.server)
        let clientProbe = Probe(stuck.client)
        var readsOn = false
        probe.onClose = {
          #expect(readsOn, "closed with bytes unsent")
          #expect(clientProbe.received.count > 10_000)
          loop.stop()
        }
        stuck.client.finish()
        stuck.client.stopReading()
        stuck.server.closeAfterFlush()
        // The client's end is there at once; only then does it read on.
        let later = try Timer(loop: loop) {
          #expect(stuck.server.isOpen)
          readsOn = true
          var bytes = [UInt8](repeating: 0, count: 4096)
          // `finish` discards what the delegate would get: read past it.
          let reader = try? Timer(loop: loop) {
            guard let descriptor = stuck.client.descriptor else { return }
            while case let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT)), count > 0 {
              clientProbe.received += bytes[..<count]
            }
          }
          reader?.start(everyMilliseconds: 1)
        }
        later.start(afterMilliseconds: 60)
      }
    }

    @Test("A connection that is handed over keeps its unsent bytes; the stream that it left ends nothing")
    func detach() throws {
      try withStuck { loop, stuck in
        let before = stuck.server.unsentBytes
        var taken: SocketDescriptor?
        let probe = Probe(stuck.server)
        let isTaken = try stuck.server.detach {
          taken = $0
          return true
        }
        #expect(isTaken)
        probe.onClose = {
          #expect(stuck.kernel?.unsentBytes == before)
          // Nobody adopts it.
          taken?.close()
          #expect(stuck.kernel == nil)
          loop.stop()
        }
      }
    }

    @Test("A connection that nobody takes over stays on its stream")
    func handOverRefused() throws {
      try withLoop { loop in
        try loop.connectPair { client, server in
          let probe = Probe(client)
          probe.onRead = { _, _ in loop.stop() }
          let isTaken = try server.detach { _ in false }
          #expect(!isTaken)
          #expect(server.isOpen)
          client.startReading()
          let outcome = [UInt8]([9]).withUnsafeBytes { server.tryWrite($0) }
          #expect(outcome == .wrote(1))
        }
      }
    }

    @Test("Nothing is unsent once the peer has reset")
    func resetByPeer() throws {
      try withStuck { loop, stuck in
        let probe = Probe(stuck.server)
        probe.onEnd = { stream, end in
          #expect(end == .reset)
          #expect(stream.unsentBytes == 0)
          loop.stop()
        }
        stuck.server.startReading()
        stuck.client.reset()
      }
    }

    @Test("A wait that is left to the kernel holds no bytes, and the peer may still read what it was told")
    func closeLeavingWait() throws {
      try withLoop { loop in
        try loop.connectPair { client, server in
          let clientPort = try #require(server.peerAddress).port
          let serverPort = try #require(client.peerAddress).port
          let probe = Probe(client)
          probe.onEnd = { _, end in
            #expect(end == .endOfStream)
            #expect(probe.received == [4, 5])
            loop.stop()
          }
          _ = [UInt8]([4, 5]).withUnsafeBytes { server.tryWrite($0) }
          server.finish()
          // Unread, it would make the close a reset.
          _ = [UInt8](repeating: 1, count: 500).withUnsafeBytes { client.tryWrite($0) }
          let look = try Timer(loop: loop) {
            guard server.isOpen, server.unsentBytes == 0 else { return }
            server.closeLeavingWait(toKernel: 2)
            #expect(KernelSocket.find(local: serverPort, peer: clientPort)?.unsentBytes ?? 0 == 0)
            client.startReading()
          }
          look.start(everyMilliseconds: 1)
        }
      }
    }
  }
}
