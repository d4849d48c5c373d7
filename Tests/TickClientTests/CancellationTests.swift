import Testing
import WireFormat

@testable import TickClient

/// Every call that waits can be ended by its caller, and leaves the server's side clean.
@Suite(.timeLimit(.minutes(1)))
struct CancellationTests {
  private var quick: TickClient.Options {
    var options = TickClient.Options()
    options.firstRetry = .milliseconds(10)
    options.longestRetry = .milliseconds(40)
    return options
  }

  private func connected(_ body: (FakeServer, TickClient) async throws -> Void) async throws {
    let server = try FakeServer()
    defer { server.stop() }
    let client = try await TickClient.connect(host: "127.0.0.1", port: server.port, options: quick)
    try await body(server, client)
    client.close()
  }

  private func until(_ server: FakeServer, _ reached: @escaping @Sendable (FakeServer) -> Bool) async {
    while await !server.perform(reached), !Task.isCancelled { await Task.yield() }
  }

  /// Ends the task and expects it to end with that.
  private func cancel<Value>(_ task: Task<Value, any Error>) async {
    task.cancel()
    await #expect(throws: CancellationError.self) { _ = try await task.value }
  }

  @Test func aJoinThatIsNeverAnsweredCanBeCancelledAndItsSeatIsGivenBackWhenItComes() async throws {
    try await connected { server, client in
      await server.perform { $0.ignoresJoins = true }
      let given = Task { try await client.join("lobby", kind: "arena") }
      await until(server) { $0.joins == 1 }
      await cancel(given)
      await server.perform { server in
        server.ignoresJoins = false
        server.answerJoin()
      }
      await until(server) { $0.leaves == 1 }
      let room = try await client.join("other", kind: "arena")
      #expect(room.tick != nil)
      #expect(await server.perform { $0.joins } == 2)
    }
  }

  @Test func aJoinWaitsForTheOneThatWasCancelledToBeOver() async throws {
    try await connected { server, client in
      await server.perform { $0.ignoresJoins = true }
      let given = Task { try await client.join("lobby", kind: "arena") }
      await until(server) { $0.joins == 1 }
      await cancel(given)
      let next = Task { try await client.join("other", kind: "arena") }
      await server.perform { server in
        server.ignoresJoins = false
        server.answerJoin()
      }
      let room = try await next.value
      #expect(room.tick != nil)
      #expect(await server.perform { ($0.joins, $0.leaves) } == (2, 1))
    }
  }

  @Test func aCancelledJoinThatIsRefusedIsNobodys() async throws {
    try await connected { server, client in
      await server.perform { $0.ignoresJoins = true }
      let given = Task { try await client.join("lobby", kind: "arena") }
      await until(server) { $0.joins == 1 }
      await cancel(given)
      let next = Task { try await client.join("other", kind: "arena") }
      await server.perform { server in
        server.ignoresJoins = false
        server.refusal = JoinRefused(.roomFull, text: "full")
        server.answerJoin()
      }
      let seated = try await next.value
      #expect(seated.tick != nil)
      #expect(await server.perform { $0.leaves } == 0)
    }
  }

  @Test func aJoinWhoseFirstStateDoesNotComeCanBeCancelled() async throws {
    try await connected { server, client in
      await server.perform { $0.withholdsKeyframes = true }
      let given = Task { try await client.join("lobby", kind: "arena") }
      await until(server) { $0.isSeated }
      await cancel(given)
      await until(server) { $0.leaves == 1 }
      await server.perform { $0.withholdsKeyframes = false }
      let next = try await client.join("other", kind: "arena")
      #expect(next.tick != nil)
    }
  }

  @Test func whoIsCancelledBeforeItBeginsAsksForNothing() async throws {
    try await connected { server, client in
      let given = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return try await client.join("lobby", kind: "arena")
      }
      await #expect(throws: CancellationError.self) { _ = try await given.value }
      let next = try await client.join("lobby", kind: "arena")
      #expect(next.tick != nil)
      #expect(await server.perform { $0.joins } == 1)
    }
  }

  @Test func aCancelledJoinOfALostConnectionIsForgotten() async throws {
    try await connected { server, client in
      await server.perform { $0.ignoresJoins = true }
      let given = Task { try await client.join("lobby", kind: "arena") }
      await until(server) { $0.joins == 1 }
      await cancel(given)
      await server.perform { server in
        server.ignoresJoins = false
        server.cut()
      }
      let next = try await client.join("other", kind: "arena")
      #expect(next.tick != nil)
      #expect(await server.perform { $0.hellos } == 2)
    }
  }

  @Test func aLeaveThatIsNeverAnsweredCanBeCancelled() async throws {
    try await connected { server, client in
      let room = try await client.join("lobby", kind: "arena")
      await server.perform { $0.ignoresLeaves = true }
      let leave = Task { await room.leave() }
      let another = Task { await room.leave() }
      await until(server) { $0.leaves == 1 }
      leave.cancel()
      await leave.value
      await another.value
      let next = Task { try await client.join("other", kind: "arena") }
      await server.perform { server in
        server.ignoresLeaves = false
        server.answerLeave()
      }
      let seated = try await next.value
      #expect(seated.tick != nil)
      #expect(await server.perform { $0.leaves } == 1, "Leave is sent once, however many wait for its answer")
      var last: RoomNotice?
      for await notice in room.events { last = notice }
      #expect(last == .ended(.left))
    }
  }

  @Test func aConnectToAServerThatSaysNothingCanBeCancelled() async throws {
    let server = try FakeServer()
    defer { server.stop() }
    await server.perform { $0.isMute = true }
    let port = server.port
    let options = quick
    let connect = Task { try await TickClient.connect(host: "127.0.0.1", port: port, options: options) }
    await until(server) { $0.hellos == 1 }
    await cancel(connect)
    await until(server) { $0.ends == 1 }
  }

  @Test func callsThatAreCancelledCountUntilTheyAreAnswered() async throws {
    try await connected { server, client in
      let room = try await client.join("lobby", kind: "arena")
      for number in 1...16 {
        let call = Task { try await room.call(3) }
        await until(server) { $0.calls == number }
        await cancel(call)
      }
      let error = await #expect(throws: ClientError.self) { _ = try await room.call(1) }
      guard case .notAllowed = error else {
        Issue.record("not refused: \(String(describing: error))")
        return
      }
    }
  }

  @Test func closingEndsEveryoneWhoWaits() async throws {
    let server = try FakeServer()
    defer { server.stop() }
    let client = try await TickClient.connect(host: "127.0.0.1", port: server.port, options: quick)
    let room = try await client.join("lobby", kind: "arena")
    await server.perform { $0.ignoresLeaves = true }
    let call = Task { try await room.call(3) }
    _ = try await room.call(1)
    let leave = Task { await room.leave() }
    await until(server) { $0.leaves == 1 }
    client.close()
    await leave.value
    await #expect(throws: ClientError.self) { _ = try await call.value }
    await #expect(throws: ClientError.self) { _ = try await client.join("other", kind: "arena") }
  }
}
