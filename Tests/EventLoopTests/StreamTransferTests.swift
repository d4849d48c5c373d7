import EventLoop
import Testing

extension EventLoopTests {
  @Suite struct StreamTransferTests {
    @Test(
      "Both ends send at once, in random slices and partial writes, and every byte arrives in order", arguments: 1...4)
    func bothDirections(seed: UInt64) throws {
      let upward = randomBytes(1_500_000, seed: seed)
      let downward = randomBytes(1_000_000, seed: seed + 100)
      try withLoop { loop in
        try loop.connectPair { client, server in
          // Small buffers make partial writes and full kernels the rule.
          _ = try client.setBufferSizes(sendBytes: 65_536, receiveBytes: 65_536)
          _ = try server.setBufferSizes(sendBytes: 65_536, receiveBytes: 65_536)
          let clientProbe = Probe(client)
          let serverProbe = Probe(server)
          for (probe, stream, content, expected) in [
            (clientProbe, client, upward, downward), (serverProbe, server, downward, upward),
          ] {
            let pump = Pump(content, seed: seed)
            probe.onWrite = { stream, error in
              do { try pump.completed(on: stream) } catch { loop.failAndStop("\(error)") }
            }
            probe.onRead = { _, _ in
              guard clientProbe.received.count == downward.count, serverProbe.received.count == upward.count
              else { return }
              loop.stop()
            }
            probe.onClose = { [unowned probe] in
              #expect(probe.received == expected)
              #expect(pump.blockedCount > 0)
            }
            stream.startReading()
            try pump.pump(into: stream)
          }
        }
      }
    }

    @Test("A peer that doesn't read blocks the writer; one write stays in flight and completes once the peer reads")
    func blockedThenDrained() throws {
      let content = randomBytes(200_000, seed: 7)
      try withLoop { loop in
        try loop.connectPair { client, server in
          let serverProbe = Probe(server)
          let clientProbe = Probe(client)
          let chunk = Pump(content, seed: 7)
          let slice = UnsafeRawBufferPointer(chunk.bytes)
          var takenBytes = 0
          filling: while true {
            switch server.tryWrite(slice) {
            case .wrote(let count): takenBytes += count
            case .wouldBlock: break filling
            case .failed(let error): throw error
            }
            // A partial write leaves the stream in the middle of the content.
            if takenBytes % content.count != 0 { break }
          }
          let rest = UnsafeRawBufferPointer(rebasing: slice[(takenBytes % content.count)...])
          #expect(!server.writeInFlight)
          try server.write(rest)
          #expect(server.writeInFlight)
          // The kernel may have room again by now.
          #expect(server.pendingWriteBytes <= rest.count)
          #expect(server.tryWrite(slice) == .wouldBlock)
          let totalBytes = takenBytes + rest.count
          clientProbe.onRead = { [unowned clientProbe] _, _ in
            if clientProbe.received.count == totalBytes, !server.writeInFlight { loop.stop() }
          }
          serverProbe.onWrite = { stream, _ in
            #expect(!stream.writeInFlight)
            #expect(stream.pendingWriteBytes == 0)
            if clientProbe.received.count == totalBytes { loop.stop() }
          }
          serverProbe.onClose = { [unowned serverProbe] in
            #expect(serverProbe.events == ["write ok", "closed"])
            let isRepetition = clientProbe.received.enumerated()
              .allSatisfy { index, byte in byte == chunk.bytes[index % chunk.bytes.count] }
            #expect(isRepetition)
          }
          client.startReading()
        }
      }
    }

    @Test("A write is in flight until its completion, even one the kernel took at once")
    func inFlightUntilCompletion() throws {
      try withLoop { loop in
        try loop.connectPair { client, _ in
          let pump = Pump([1, 2, 3], seed: 1)
          let bytes = UnsafeRawBufferPointer(pump.bytes)
          let probe = Probe(client)
          probe.onWrite = { stream, error in
            #expect(error == nil)
            #expect(stream.tryWrite(bytes) == .wrote(pump.bytes.count))
            loop.stop()
          }
          try client.write(bytes)
          #expect(client.pendingWriteBytes == 0, "loopback takes three bytes at once")
          #expect(client.tryWrite(bytes) == .wouldBlock)
          #expect([bytes].withUnsafeBufferPointer { client.tryWrite($0) } == .wouldBlock)
        }
      }
    }

    @Test("An outlet takes what the socket takes, and then nothing")
    func outletUntilBlocked() throws {
      let content = randomBytes(65_536, seed: 5)
      try withLoop { loop in
        try loop.connectPair { client, server in
          let outlet = try #require(StreamOutlet(client))
          var taken = 0
          content.withUnsafeBytes { bytes in
            while true {
              let count = outlet.offer(bytes)
              #expect(count >= 0)
              if count <= 0 { break }
              taken += count
            }
          }
          #expect(taken >= content.count, "loopback takes that much at least")
          client.close()
          #expect(StreamOutlet(client) == nil)
          server.close()
          loop.stop()
        }
      }
    }

    @Test("More slices than one call takes are a partial write")
    func moreSlicesThanTaken() throws {
      let byte: [UInt8] = [42]
      try withLoop { loop in
        try loop.connectPair { client, _ in
          byte.withUnsafeBytes { bytes in
            let slices = [UnsafeRawBufferPointer](repeating: bytes, count: Stream.maximumSlices + 50)
            let outcome = slices.withUnsafeBufferPointer { client.tryWrite($0) }
            #expect(outcome == .wrote(Stream.maximumSlices))
          }
          loop.stop()
        }
      }
    }

    @Test("A stopped reader gets nothing until it starts again, and then everything")
    func stopAndStartReading() throws {
      let content = randomBytes(10_000, seed: 3)
      try withLoop { loop in
        try loop.connectPair { client, server in
          let probe = Probe(server)
          let pump = Pump(content, seed: 3)
          server.startReading()
          server.stopReading()
          try pump.pump(into: client)
          let later = try Timer(loop: loop) {
            #expect(probe.received.isEmpty)
            probe.onRead = { [unowned probe] _, _ in if probe.received.count == content.count { loop.stop() } }
            server.startReading()
            server.startReading()
          }
          probe.onClose = { [unowned probe] in #expect(probe.received == content) }
          later.start(afterMilliseconds: 20)
        }
      }
    }

    @Test("The kernel's answer to a buffer size is returned, and nil leaves a size alone")
    func bufferSizes() throws {
      try withLoop { loop in
        try loop.connectPair { client, _ in
          let before = try client.bufferSizes()
          let after = try client.setBufferSizes(sendBytes: 16_384, receiveBytes: nil)
          // Linux doubles what is asked for.
          #expect(after.sendBytes == 32_768)
          #expect(after.receiveBytes == before.receiveBytes)
          loop.stop()
        }
      }
    }
  }
}
