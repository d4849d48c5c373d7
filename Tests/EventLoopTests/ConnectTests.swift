import EventLoop
import Testing

extension EventLoopTests {
  @Suite struct ConnectTests {
    /// Runs one attempt to its completion; checks that it isn't called back from within `connect`.
    private func outcome(
      host: String, port: UInt16, localAddress: String? = nil, cancelled: Bool = false, stopped: Bool = false
    ) throws -> [Result<SocketAddress?, LoopError>] {
      var results: [Result<SocketAddress?, LoopError>] = []
      try withLoop { loop in
        let attempt = Stream.connect(loop: loop, host: host, port: port, localAddress: localAddress) { result in
          results.append(result.map(\.peerAddress))
          loop.stop()
        }
        #expect(results.isEmpty)
        if cancelled {
          attempt.cancel()
          attempt.cancel()
        }
        if stopped { loop.stop() }
      }
      return results
    }

    private func closedPort() throws -> UInt16 {
      var port: UInt16 = 0
      try withLoop { loop in
        port = try Listener(loop: loop, host: "127.0.0.1", port: 0, onAccept: { _ in }, onError: { _ in }).port
        loop.stop()
      }
      return port
    }

    @Test("A refused connection says where and why, also when a name's every address refused")
    func refused() throws {
      let port = try closedPort()
      #expect(
        try outcome(host: "127.0.0.1", port: port)
          == [.failure(LoopError("connect", "127.0.0.1:\(port)", code: -111))])
      let named = try outcome(host: "localhost", port: port)
      #expect(named == [.failure(LoopError("connect", "localhost:\(port)", code: -111))])
    }

    @Test("A name is looked up")
    func name() throws {
      try withLoop { loop in
        let listener = try Listener(
          loop: loop, host: "127.0.0.1", port: 0, onAccept: { _ in }, onError: { loop.failAndStop("\($0)") })
        Stream.connect(loop: loop, host: "localhost", port: listener.port) { result in
          #expect((try? result.get())?.peerAddress?.port == listener.port)
          loop.stop()
        }
      }
    }

    @Test("A local address that isn't ours fails in the completion, not in the call")
    func localAddress() throws {
      let results = try outcome(host: "127.0.0.1", port: 9, localAddress: "192.0.2.1")
      guard case .failure(let error)? = results.first else {
        Issue.record("\(results)")
        return
      }
      #expect(results.count == 1)
      #expect(error.name == "EADDRNOTAVAIL")
    }

    @Test("A cancelled or stopped attempt completes once, as cancelled", arguments: ["127.0.0.1", "localhost"])
    func cancel(host: String) throws {
      for (cancelled, stopped) in [(true, false), (false, true), (true, true)] {
        let results = try outcome(host: host, port: 9, cancelled: cancelled, stopped: stopped)
        guard case .failure(let error)? = results.first, results.count == 1 else {
          Issue.record("\(results)")
          return
        }
        #expect(error.isCancelled || error.name == "EAI_CANCELED", "\(error)")
      }
    }
  }
}
