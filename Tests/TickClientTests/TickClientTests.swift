import Testing
import TickClient

/// The SDK over real sockets. Waits end with the notice that is waited for; the time limit is only a net.
@Suite(.timeLimit(.minutes(1)))
struct TickClientTests {
  private var quick: TickClient.Options {
    var options = TickClient.Options()
    options.firstRetry = .milliseconds(10)
    options.longestRetry = .milliseconds(40)
    return options
  }

  /// A server, and a client in its room; both end with `body`.
  private func inRoom(
    _ options: TickClient.Options? = nil, _ body: (FakeServer, TickClient, Room) async throws -> Void
  ) async throws {
    let server = try FakeServer()
    defer { server.stop() }
    let client = try await TickClient.connect(
      host: "127.0.0.1", port: server.port, token: [1, 2], options: options ?? quick)
    let room = try await client.join("lobby", kind: "arena")
    try await body(server, client, room)
    client.close()
  }

  /// The notices up to and including the one that `isLast` accepts.
  private func read(_ room: Room, until isLast: (RoomNotice) -> Bool) async -> [RoomNotice] {
    var notices: [RoomNotice] = []
    for await notice in room.events {
      notices.append(notice)
      if isLast(notice) { break }
    }
    return notices
  }

  @Test func joinedRoomHasItsState() async throws {
    try await inRoom { server, client, room in
      #expect(room.player == FakeServer.me)
      #expect(room.tickRate == 30)
      #expect(room.schema == server.schema)
      #expect(room.players == [FakeServer.me])
      #expect(room.entities(of: KindIndex(0)) == [FakeServer.avatar])
      #expect(room.owner(of: FakeServer.avatar) == FakeServer.me)
      let position = try room.schema.key("avatar", "position", as: SIMD2<Double>.self)
      #expect(room.value(position, of: FakeServer.avatar) == SIMD2(0, 0))
      #expect(room.value(position, of: EntityID(kind: KindIndex(0), id: 9)) == nil)
      let notices = await read(room) { if case .frame = $0 { true } else { false } }
      #expect(notices.first == .entityCreated(FakeServer.avatar, owner: FakeServer.me))
      #expect(room.serverTime >= .seconds(8))
    }
  }

  @Test func inputComesBackAsAChange() async throws {
    try await inRoom { server, client, room in
      let position = try room.schema.key("avatar", "position", as: SIMD2<Double>.self)
      let name = try room.schema.key("avatar", "name", as: String.self)
      let sequence = try room.send { input in
        input.set(position, of: FakeServer.avatar, to: SIMD2(3, 500))
        input.set(name, of: FakeServer.avatar, to: "Ada")
      }
      #expect(sequence == 1)
      let notices = await read(room) { $0 == .entityChanged(FakeServer.avatar, mask: 3) }
      #expect(notices.last == .entityChanged(FakeServer.avatar, mask: 3))
      #expect(room.value(position, of: FakeServer.avatar) == SIMD2(3, 100))
      #expect(room.value(name, of: FakeServer.avatar) == "Ada")
      #expect(room.interpolated(position, of: FakeServer.avatar) == SIMD2(3, 100))
      #expect(try room.send { _ in } == nil)
      let other = EntityID(kind: KindIndex(0), id: 7)
      #expect(throws: ClientError.self) { try room.send { $0.set(name, of: other, to: "x") } }
      // The answer to a later call comes after the acknowledgement.
      _ = try await room.call(1)
      #expect(room.acknowledgedInput == 1)
    }
  }

  @Test func eventsAndWhispersArrive() async throws {
    try await inRoom { server, client, room in
      try room.raise(77, [1, 2, 3])
      await server.perform { $0.whisper(1) }
      var found: [RoomNotice] = []
      for await notice in room.events {
        switch notice {
        case .event, .whisper: found.append(notice)
        default: break
        }
        if found.count == 2 { break }
      }
      let event = GameEvent(code: 77, payload: [1, 2, 3], sender: nil, isReliable: true)
      let whisper = GameEvent(code: 50, payload: [9], sender: nil, isReliable: true)
      #expect(found.contains(.event(event)) && found.contains(.whisper(whisper)))
      #expect(throws: ClientError.self) { try room.raise(3, []) }
    }
  }

  @Test func callsAreAnswered() async throws {
    try await inRoom { server, client, room in
      #expect(try await room.call(1, [5, 6]) == [5, 6])
      let error = await #expect(throws: ClientError.self) { _ = try await room.call(2, Array("no".utf8)) }
      guard case .callFailed(let failure) = error else {
        Issue.record("not a failed call: \(String(describing: error))")
        return
      }
      #expect(failure.status == .rejected && "\(failure)" == "rejected (2): no")
      let waiting = Task { try await room.call(3) }
      _ = try await room.call(1)
      waiting.cancel()
      await #expect(throws: CancellationError.self) { _ = try await waiting.value }
    }
  }

  @Test func lostConnectionIsResumedWithoutLoss() async throws {
    try await inRoom { server, client, room in
      await server.perform { $0.step([(60, [1])]) }
      let call = Task { try await room.call(3) }
      _ = try await room.call(1)
      await server.perform { server in
        server.cut()
        server.step([(61, [2])])
        try? server.move(SIMD2(7, 7))
        server.step([(62, [3])])
      }
      await #expect(throws: ClientError.self) { _ = try await call.value }
      let notices = await read(room) {
        if case .event(let event) = $0 { event.code == 62 } else { false }
      }
      let codes = notices.compactMap { if case .event(let event) = $0 { event.code } else { nil } }
      #expect(codes == [60, 61, 62])
      #expect(notices.contains(.resumed))
      let position = try room.schema.key("avatar", "position", as: SIMD2<Double>.self)
      #expect(room.value(position, of: FakeServer.avatar) == SIMD2(7, 7))
      #expect(await server.perform { $0.hellos } == 2)
      try room.raise(80, [])
      #expect(await read(room) { if case .event(let event) = $0 { event.code == 80 } else { false } }.isEmpty == false)
    }
  }

  @Test func inputsInQuickSuccessionLeaveTogetherAndBeforeWhatFollows() async throws {
    var options = quick
    options.inputGathering = .seconds(1)
    try await inRoom(options) { server, client, room in
      let position = try room.schema.key("avatar", "position", as: SIMD2<Double>.self)
      for step in 1...10 {
        try room.send { $0.set(position, of: FakeServer.avatar, to: SIMD2(Double(step), 0)) }
        // As long as a loop needs to send one by itself, were it to.
        try await Task.sleep(for: .milliseconds(10))
      }
      // Does not wait, and overtakes nothing.
      let answer = try await room.call(1, [5])
      #expect(answer == [5])
      let (inputs, reads) = await server.perform { ($0.inputs, $0.inputReads) }
      #expect(inputs == 10)
      #expect(reads <= 3, "the first may have left alone, and a second passed")
    }
  }

  @Test(arguments: [nil, .milliseconds(40)] as [Duration?])
  func inputsThatWaitForOthersLeaveByThemselves(gathering: Duration?) async throws {
    var options = quick
    options.inputGathering = gathering
    try await inRoom(options) { server, client, room in
      let position = try room.schema.key("avatar", "position", as: SIMD2<Double>.self)
      for step in 1...3 {
        let sent = try room.send { $0.set(position, of: FakeServer.avatar, to: SIMD2(Double(step), 0)) }
        #expect(sent == UInt32(step))
        if step != 2 { continue }
        _ = await read(room) { _ in room.value(position, of: FakeServer.avatar) == SIMD2(2, 0) }
      }
      _ = await read(room) { _ in room.value(position, of: FakeServer.avatar) == SIMD2(3, 0) }
      #expect(await server.perform { $0.inputs } == 3)
    }
  }

  @Test func refusedJoinSaysWhyAndMayBeTriedAgain() async throws {
    let server = try FakeServer()
    defer { server.stop() }
    let client = try await TickClient.connect(host: "127.0.0.1", port: server.port, options: quick)
    await server.perform { $0.refusal = JoinRefused(.roomFull, retryAfterMilliseconds: 500, text: "100 of 100") }
    let error = await #expect(throws: ClientError.self) { _ = try await client.join("lobby", kind: "arena") }
    guard case .joinRefused(let refused) = error else {
      Issue.record("not a refusal: \(String(describing: error))")
      return
    }
    #expect(refused.refusal == .roomFull && refused.retryAfter == .milliseconds(500))
    let room = try await client.join("lobby", kind: "arena")
    #expect(room.player == FakeServer.me)
    client.close()
  }

  @Test func leavingEndsTheRoomAndFreesTheClientForAnother() async throws {
    try await inRoom { server, client, room in
      await #expect(throws: ClientError.self) { _ = try await client.join("other", kind: "arena") }
      await room.leave()
      #expect(await server.perform { $0.leaves } == 1)
      #expect(await read(room) { _ in false }.last == .ended(.left))
      #expect(throws: ClientError.self) { try room.raise(20, []) }
      #expect(room.tick == nil)
      let next = try await client.join("other", kind: "arena")
      #expect(next.tick != nil)
      #expect(room.tick == nil, "the old room stays over")
    }
  }

  @Test func goodbyeForGoodEndsTheRoom() async throws {
    try await inRoom { server, client, room in
      await server.perform { $0.say(Goodbye(.kicked, text: "language")) }
      guard case .ended(.goodbye(let goodbye)) = await read(room, until: { _ in false }).last else {
        Issue.record("the room must end with the goodbye")
        return
      }
      #expect(goodbye.reason == .kicked && goodbye.text == "language")
      await #expect(throws: ClientError.self) { _ = try await client.join("lobby", kind: "arena") }
    }
  }

  @Test func refusedConnectionSaysWhy() async throws {
    let server = try FakeServer()
    await server.perform { $0.goodbye = Goodbye(.unauthorized, text: "expired") }
    let error = await #expect(throws: ClientError.self) {
      _ = try await TickClient.connect(host: "127.0.0.1", port: server.port)
    }
    guard case .goodbye(let goodbye) = error else {
      Issue.record("not a goodbye: \(String(describing: error))")
      return
    }
    #expect(goodbye.reason == .unauthorized)
    let port = server.port
    server.stop()
    let refused = await #expect(throws: ClientError.self) {
      _ = try await TickClient.connect(host: "127.0.0.1", port: port)
    }
    guard case .unreachable(let text) = refused else {
      Issue.record("not unreachable: \(String(describing: refused))")
      return
    }
    #expect(text.contains("ECONNREFUSED"))
  }

  @Test func serverThatStaysAwayIsGivenUp() async throws {
    var options = quick
    options.retries = 3
    try await inRoom(options) { server, client, room in
      server.stop()
      #expect(await read(room) { _ in false }.last == .ended(.unreachable(attempts: 3)))
    }
  }

  @Test func readerThatSleepsTooLongIsToldSo() async throws {
    var options = quick
    options.noticeLimit = 10
    try await inRoom(options) { server, client, room in
      for number in 0..<11 { await server.perform { $0.step([(100, [UInt8(number)])]) } }
      while room.tick != nil { await Task.yield() }
      let notices = await read(room) { _ in false }
      let events = notices.filter { if case .event = $0 { true } else { false } }
      #expect(events.count == 10)
      #expect(notices.last == .ended(.consumerTooSlow(limit: 10)))
    }
  }

  @Test func clientThatIsLetGoClosesItsConnection() async throws {
    let server = try FakeServer()
    defer { server.stop() }
    var client: TickClient? = try await TickClient.connect(host: "127.0.0.1", port: server.port, options: quick)
    var room: Room? = try await client?.join("lobby", kind: "arena")
    client = nil
    #expect(room?.tick != nil, "the room keeps its client")
    room = nil
    while await server.perform({ $0.leaves }) == 0 { await Task.yield() }
  }
}
