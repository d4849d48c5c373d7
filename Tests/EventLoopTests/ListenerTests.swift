import EventLoop
import Glibc
import Testing

extension EventLoopTests {
  @Suite struct ListenerTests {
    private func listen(
      _ loop: Loop, host: String = "127.0.0.1", port: UInt16 = 0, reusePort: Bool = false,
      onAccept: @escaping (Stream) -> Void = { _ in }, onError: @escaping (LoopError) -> Void = { _ in }
    ) throws(LoopError) -> Listener {
      try Listener(
        loop: loop, host: host, port: port, options: .init(reusePort: reusePort), onAccept: onAccept, onError: onError)
    }

    @Test("A port in use is refused with address and reason")
    func portInUse() throws {
      try withLoop { loop in
        let first = try listen(loop)
        let error = #expect(throws: LoopError.self) { try listen(loop, port: first.port) }
        #expect(error?.description == "bind 127.0.0.1:\(first.port): EADDRINUSE address already in use")
        loop.stop()
      }
    }

    @Test("A host that is no address is refused with what is allowed")
    func hostName() throws {
      try withLoop { loop in
        let error = #expect(throws: LoopError.self) { try listen(loop, host: "localhost") }
        #expect(
          error?.description
            == "bind localhost:0 (the host must be an IPv4 or IPv6 address): EINVAL invalid argument")
        loop.stop()
      }
    }

    @Test("A closed listener gives its port back at once")
    func closeFreesPort() throws {
      try withLoop { loop in
        let first = try listen(loop)
        let port = first.port
        first.close()
        first.close()
        #expect(try listen(loop, port: port).port == port)
        loop.stop()
      }
    }

    @Test("Accepted connections have the buffers that the listener was given")
    func bufferSizes() throws {
      try withLoop { loop in
        let sizes = SocketBufferSizes(sendBytes: 8192, receiveBytes: 16_384)
        let listener = try Listener(
          loop: loop, host: "127.0.0.1", port: 0, options: .init(bufferSizes: sizes),
          onAccept: { stream in
            // Linux doubles what is asked for.
            let found = try? stream.bufferSizes()
            #expect(found == SocketBufferSizes(sendBytes: 16_384, receiveBytes: 32_768))
            stream.close()
            loop.stop()
          }, onError: { Issue.record("\($0)") })
        Stream.connect(loop: loop, host: "127.0.0.1", port: listener.port) { result in try? result.get().close() }
      }
    }

    @Test("Two loops share a port, and both accept")
    func reusePort() throws {
      let before = openDescriptors()
      let accepted = Shared([0, 0])
      let port = Shared<UInt16>(0)
      let threads = try (0..<2).map { index in
        try LoopThread.start(name: "accept-\(index)") { loop in
          let listener = try Listener(
            loop: loop, host: "127.0.0.1", port: port.value.withLock { $0 }, options: .init(reusePort: true),
            onAccept: { stream in
              accepted.value.withLock { $0[index] += 1 }
              stream.close()
            }, onError: { Issue.record("\($0)") })
          port.value.withLock { $0 = listener.port }
        }.thread
      }
      try withLoop(alone: false) { loop in
        var attempts = 0
        func next() {
          attempts += 1
          guard attempts < 2_000, accepted.value.withLock({ $0.contains(0) }) else { return loop.stop() }
          Stream.connect(loop: loop, host: "127.0.0.1", port: port.value.withLock { $0 }) { result in
            do { try result.get().close() } catch { loop.failAndStop("\(error)") }
            next()
          }
        }
        next()
      }
      threads.forEach { $0.stop() }
      threads.forEach { $0.join() }
      #expect(accepted.value.withLock { $0.allSatisfy { $0 > 0 } })
      #expect(openDescriptors() == before)
    }

    @Test("Out of descriptors: the error is told without spinning, and waiting connections are accepted later")
    func outOfDescriptors() throws {
      var limit = rlimit()
      getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      let original = limit
      defer {
        var original = original
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &original)
      }
      var errors: [String] = []
      var acceptedEarly = 0
      var accepted = 0
      try withLoop { loop in
        var isStarved = true
        var start = Loop.clock()
        let listener = try listen(
          loop,
          onAccept: { stream in
            if isStarved { acceptedEarly += 1 }
            accepted += 1
            stream.close()
            if accepted == 3 { loop.stop() }
          }, onError: { error in errors.append(error.description) })
        let address = "127.0.0.1:\(listener.port)"
        let relief = try Timer(loop: loop) {
          let elapsedMilliseconds = Loop.clock().nanoseconds(since: start) / 1_000_000
          #expect(!errors.isEmpty)
          #expect(errors.count <= Int(elapsedMilliseconds / Listener.pauseMilliseconds) + 1)
          #expect(Set(errors) == ["accept \(address): EMFILE too many open files"])
          isStarved = false
          var original = original
          setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &original)
        }
        // The clients' sockets exist before the limit falls; the kernel completes their handshakes by itself.
        let clients = try (0..<3).map { _ in try #require(BlockingClient()) }
        var starved = limit
        starved.rlim_cur = 3
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &starved)
        start = Loop.clock()
        for client in clients { #expect(client.connect(port: listener.port)) }
        relief.start(afterMilliseconds: 350)
        // The clients live until the loop ends.
        loop.enqueue { _ = clients }
        try keep(clients, on: loop)
      }
      #expect(acceptedEarly == 0)
      #expect(accepted == 3)
    }

    private func keep(_ clients: [BlockingClient], on loop: Loop) throws {
      let keeper = try Timer(loop: loop) { _ = clients }
      keeper.start(afterMilliseconds: 3_600_000)
    }

    @Test("Peers are known by address, over IPv4, IPv6 and a dual-stack listener")
    func peerAddress() throws {
      try withLoop { loop in
        try loop.connectPair(localAddress: "127.0.0.3") { client, server in
          #expect(server.peerAddress?.ip == IPAddress("127.0.0.3"))
          #expect(server.peerAddress?.ip.description == "127.0.0.3")
          #expect(client.peerAddress?.ip.description == "127.0.0.1")
          loop.stop()
        }
      }
      #expect(IPAddress("::ffff:192.0.2.7") == IPAddress("192.0.2.7"))
      #expect(IPAddress("2001:DB8::1")?.description == "2001:db8::1")
      #expect(IPAddress("192.0.2.256") == nil)
    }
  }
}

/// A plain blocking socket, made ahead of its use.
private final class BlockingClient {
  private let descriptor: Int32

  init?() {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    if descriptor < 0 { return nil }
  }

  deinit { _ = Glibc.close(descriptor) }

  func connect(port: UInt16) -> Bool {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr)
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }
}
