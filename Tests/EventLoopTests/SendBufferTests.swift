import EventLoop
import Glibc
import Testing

extension EventLoopTests {
  /// How much the kernel holds for a peer that takes nothing: asked of the socket, not of us.
  @Suite struct SendBufferTests {
    /// Bytes that the kernel charges for what waits to be sent (`SO_MEMINFO`, SK_MEMINFO_WMEM_QUEUED).
    private func queuedBytes(_ stream: EventLoop.Stream) throws -> Int {
      let descriptor = try #require(stream.descriptor)
      var numbers = [UInt32](repeating: 0, count: 9)
      var size = socklen_t(numbers.count * 4)
      try #require(getsockopt(descriptor, SOL_SOCKET, 55, &numbers, &size) == 0)
      return Int(numbers[5])
    }

    @Test(
      "A peer with a large window that reads nothing makes the kernel hold the send buffer and one offer, no more",
      arguments: [(1000, 1), (4096, 1), (8192, 1), (100_000, 1), (1500, 64)])
    func stuck(bytes: Int, slices: Int) throws {
      try withLoop { loop in
        try loop.connectPair { client, server in
          _ = Probe(client)
          _ = Probe(server)
          // Large enough for segments of 64 KiB, and no larger: it would take megabytes to fill.
          _ = try client.setBufferSizes(sendBytes: nil, receiveBytes: 128 * 1024)
          let granted = try server.setBufferSizes(sendBytes: 8192, receiveBytes: nil).sendBytes
          server.mostOfferedBytes = 8192
          let content = [UInt8](repeating: 7, count: bytes)
          var worst = 0
          var blocked = 0
          try content.withUnsafeBytes { content in
            let all = Array(repeating: content, count: slices)
            // The peer's window takes the first of it.
            for _ in 0..<20_000 where blocked < 50 {
              switch all.withUnsafeBufferPointer({ server.tryWrite($0) }) {
              case .wrote(let count): blocked = count < bytes * slices ? blocked + 1 : 0
              case .wouldBlock:
                blocked += 1
                usleep(1000)
              case .failed(let error): throw error
              }
              worst = max(worst, try queuedBytes(server))
            }
          }
          #expect(blocked == 50)
          #expect(worst > granted / 2, "it was never full")
          #expect(worst <= granted + 8192 + 2048, "\(worst) for a buffer of \(granted)")
          loop.stop()
        }
      }
    }

    @Test(
      "Offered in parts, random slices and partial writes arrive in order all the same", arguments: [600, 3000, 20_000])
    func parts(most: Int) throws {
      let content = randomBytes(700_000, seed: UInt64(most))
      try withLoop { loop in
        try loop.connectPair { client, server in
          _ = try server.setBufferSizes(sendBytes: 8192, receiveBytes: nil)
          server.mostOfferedBytes = most
          let probe = Probe(client)
          let sender = Probe(server)
          let pump = Pump(content, seed: UInt64(most))
          sender.onWrite = { stream, error in
            do { try pump.completed(on: stream) } catch { loop.failAndStop("\(error)") }
          }
          probe.onRead = { _, _ in if probe.received.count == content.count { loop.stop() } }
          probe.onClose = { [unowned probe] in #expect(probe.received == content) }
          client.startReading()
          server.startReading()
          try pump.pump(into: server)
        }
      }
    }

    @Test("A frame larger than one offer goes out in parts, as far as the socket takes it")
    func outlet() throws {
      try withLoop { loop in
        try loop.connectPair { client, server in
          _ = Probe(client)
          _ = Probe(server)
          _ = try client.setBufferSizes(sendBytes: nil, receiveBytes: 128 * 1024)
          let granted = try server.setBufferSizes(sendBytes: 8192, receiveBytes: nil).sendBytes
          server.mostOfferedBytes = 4096
          let outlet = try #require(StreamOutlet(server))
          let frame = [UInt8](repeating: 3, count: 100_000)
          var taken: [Int] = []
          try frame.withUnsafeBytes { frame in
            for _ in 0..<2000 {
              taken.append(outlet.offer(frame))
              if taken.suffix(20).allSatisfy({ $0 == 0 }), taken.count > 20 { break }
              if taken.last == 0 { usleep(1000) }
              let queued = try queuedBytes(server)
              #expect(queued <= granted + 4096 + 2048)
            }
          }
          #expect(taken.allSatisfy { (0...frame.count).contains($0) })
          #expect(taken.contains { $0 > 4096 })
          loop.stop()
        }
      }
    }

    @Test("A socket asked at start tells the most that may be asked for, whatever /proc shows")
    func probe() throws {
      let most = try #require(SocketBufferSizes.most())
      #expect(most.sendBytes >= 4096 && most.receiveBytes >= 4096)
    }
  }
}
