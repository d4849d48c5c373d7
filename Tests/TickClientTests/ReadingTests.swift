import Testing
import TickClient

/// Readings of one moment, over real sockets.
@Suite(.timeLimit(.minutes(1)))
struct ReadingTests {
  private func inRoom(_ body: (FakeServer, TickClient, Room) async throws -> Void) async throws {
    let server = try FakeServer()
    defer { server.stop() }
    let client = try await TickClient.connect(host: "127.0.0.1", port: server.port)
    let room = try await client.join("lobby", kind: "arena")
    try await body(server, client, room)
    client.close()
  }

  @Test func oneReadingIsOfOneTick() async throws {
    try await inRoom { server, client, room in
      let position = try room.schema.key("avatar", "position", as: SIMD2<Double>.self)
      await server.perform { server in
        try? server.move(SIMD2(5, 6))
        server.step()
      }
      for await notice in room.events {
        if case .frame = notice, room.value(position, of: FakeServer.avatar) == SIMD2(5, 6) { break }
      }
      let copy = room.read { state in
        (
          state.tick, state.acknowledgedInput, state.value(position, of: FakeServer.avatar),
          state.interpolated(position, of: FakeServer.avatar), state.entities(of: KindIndex(0)),
          state.owner(of: FakeServer.avatar), state.players, state.stateHash
        )
      }
      #expect(copy.0 == room.tick && copy.1 == 0)
      #expect(copy.2 == SIMD2(5, 6) && copy.3 == SIMD2(5, 6))
      #expect(copy.4 == [FakeServer.avatar] && copy.5 == FakeServer.me && copy.6 == [FakeServer.me])
      #expect(copy.7 == room.stateHash)
    }
  }

  /// The position is the number of the input: whoever reads finds both of one tick, or the two differ.
  @Test func stateAndAcknowledgementAreOfOneTickAfterEveryFrame() async throws {
    try await inRoom { server, client, room in
      await server.perform { $0.partsAcknowledgements = true }
      let position = try room.schema.key("avatar", "position", as: SIMD2<Double>.self)
      let sender = Task {
        for number in 1...90 {
          try room.send { $0.set(position, of: FakeServer.avatar, to: SIMD2(Double(number), 0)) }
          try await Task.sleep(for: .milliseconds(7))
        }
      }
      var readings = 0
      for await notice in room.events {
        guard case .frame(let tick) = notice else { continue }
        let (state, acknowledged, at) = room.read { state in
          (state.value(position, of: FakeServer.avatar), state.acknowledgedInput, state.tick)
        }
        #expect(state == SIMD2(Double(acknowledged), 0), "state of \(String(describing: state)), input \(acknowledged)")
        #expect(at.map { $0 >= tick } == true)
        readings += 1
        if acknowledged == 90 { break }
      }
      try await sender.value
      #expect(readings > 10)
    }
  }

  @Test func whatTheBodyThrowsIsThrown() async throws {
    struct Stop: Error, Equatable {}
    try await inRoom { server, client, room in
      #expect(throws: Stop()) { try room.read { (_) throws(Stop) in throw Stop() } }
      #expect(room.tick != nil, "and nothing stays locked")
    }
  }

  @Test func aRoomThatIsOverHasNoStateAndItsTimeStands() async throws {
    try await inRoom { server, client, room in
      let time = room.serverTime
      await room.leave()
      #expect(room.read { $0.tick } == nil)
      #expect(room.read { $0.acknowledgedInput } == 0)
      #expect(room.read { $0.entities(of: KindIndex(0)) } == [])
      let stands = room.serverTime
      #expect(stands >= time)
      try await Task.sleep(for: .milliseconds(20))
      #expect(room.serverTime == stands)
    }
  }

  @Test func callingTheRoomWithinAReadingEndsTheProgramInsteadOfHangingIt() async {
    await #expect(processExitsWith: .failure) {
      try await ReadingTests().inRoom { _, _, room in room.read { _ in _ = room.tick } }
    }
  }
}
