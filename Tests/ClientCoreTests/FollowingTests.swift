import ClientCore
import Testing
import WireFormat

struct FollowingTests {
  @Test func framesChangeTheMirror() throws {
    var server = try ScriptedServer()
    let client = try Recorder(in: &server)
    server.create(2, owner: ScriptedServer.me)
    try server.set("health", 2, 80)
    client.receive(server.frame())
    try server.set("health", 2, 79)
    client.receive(server.frame(span: 5))
    server.remove(2)
    client.receive(server.frame())
    #expect(
      client.log == [
        "+ entity 0:2", "~ entity 0:2 4", "tick 101", "~ entity 0:2 4", "tick 106", "- entity 0:2", "tick 107",
      ])
    #expect(client.core.stateHash == 0)
  }

  @Test func gapIsFoundBeforeItIsApplied() throws {
    var server = try ScriptedServer()
    let client = try Recorder(in: &server)
    let hash = client.core.stateHash
    server.create(2)
    _ = server.frame()
    server.create(3)
    #expect(!client.receive(server.frame()))
    #expect(client.faults == [.gap(last: Tick(100), tick: Tick(102), span: 1)])
    #expect(client.core.stateHash == hash)
    #expect(client.core.tables[0].count == 0)
    let outlook = client.core.connectionEnded(jitter: 1, client)
    #expect(outlook == .resume(afterMilliseconds: 250))
  }

  @Test func frameBeforeTheFirstKeyframeIsAGap() throws {
    var server = try ScriptedServer()
    let client = Recorder()
    try client.core.connect(now: 0)
    client.receive(ScriptedServer.welcome())
    try client.core.join("lobby", kind: "arena")
    client.receive(server.joined())
    #expect(!client.receive(server.frame()))
    #expect(client.faults == [.gap(last: nil, tick: Tick(101), span: 1)])
    // The seat is there, the state is not: tick 0 asks for a keyframe.
    #expect(client.core.connectionEnded(jitter: 0, client) == .resume(afterMilliseconds: 125))
    #expect(client.core.resumePoint?.lastTick == Tick(0))
  }

  @Test func reliableEventsComeInOrderAndTransientOnesHaveNoNumber() throws {
    var server = try ScriptedServer()
    let client = try Recorder(in: &server)
    let transient = ScriptedServer.Event(code: 30, isReliable: false)
    client.receive(server.frame([.init(payload: [1]), transient, .init(payload: [2])]))
    client.receive(server.frame([transient]))
    #expect(
      client.log == [
        "event 41 16 [1]", "event 0 30 []", "event 42 16 [2]", "tick 101", "event 0 30 []", "tick 102",
      ])
    #expect(client.faults == [])
  }

  @Test(arguments: [40, 42] as [UInt64])
  func doubledOrMissingReliableEventIsAFault(_ first: UInt64) throws {
    var server = try ScriptedServer()
    let client = try Recorder(in: &server)
    #expect(!client.receive(server.frame([.init()], first: first)))
    #expect(client.faults == [.eventOrder(expected: 41, found: first)])
    #expect(!client.log.contains { $0.hasPrefix("event") })
    guard case .over(.fault) = client.core.connectionEnded(jitter: 0, client) else {
      Issue.record("a broken event order must end the session")
      return
    }
  }

  @Test func eventNotForItsSenderIsCountedAndNotTold() throws {
    var server = try ScriptedServer()
    let client = try Recorder(in: &server)
    let mine = ScriptedServer.Event(payload: [1], sender: ScriptedServer.me, isForSender: false)
    let other = ScriptedServer.Event(payload: [2], sender: PlayerID(rawValue: 8), isForSender: false)
    client.receive(server.frame([mine, other]))
    #expect(client.log == ["event 42 16 [2]", "tick 101"])
    #expect(client.core.seat?.lastEvent == 42)
  }

  @Test func playersComeAndGo() throws {
    var server = try ScriptedServer()
    let client = try Recorder(in: &server)
    client.receive(server.frame([.init(code: 1, payload: [9, 2])]))
    #expect(client.core.seat?.players == [ScriptedServer.me, PlayerID(rawValue: 9)])
    client.receive(server.frame([.init(code: 2, payload: [3])]))
    #expect(client.core.seat?.players == [PlayerID(rawValue: 9)])
    #expect(client.log == ["+ player 9", "tick 101", "- player 3", "tick 102"])
    #expect(!client.receive(server.frame([.init(code: 1, payload: [9])])))
    #expect(client.faults == [.protocolEvent(code: 1)])
  }

  // MARK: Skips

  @Test func skipIsToldAsWhatChanged() throws {
    var server = try ScriptedServer()
    for id in 1...4 { server.create(id) }
    try server.set("health", 1, 10)
    _ = server.frame()
    let client = try Recorder(in: &server)
    // Unseen: 1 unchanged, 2 changed, 3 removed, 4 replaced by another of the same id, 5 new.
    try server.set("health", 2, 20)
    server.remove(3)
    server.remove(4)
    _ = server.frame([.init(payload: [1])])
    server.create(4, generation: 1)
    server.create(5)
    try server.set("health", 5, 50)
    _ = server.frame([.init(payload: [2])])
    client.receive(server.keyframe())
    #expect(client.core.phase == .inRoom)
    client.receive(ScriptedServer.missed([.init(payload: [1]), .init(payload: [2])], first: 41))
    #expect(
      client.log == [
        "- entity 0:3", "- entity 0:4", "+ entity 0:4", "+ entity 0:5", "~ entity 0:2 4", "~ entity 0:5 4",
        "tick \(server.tick)", "event 41 16 [1]", "event 42 16 [2]",
      ])
    #expect(client.receive(server.frame([.init()])))
    #expect(client.core.seat?.lastEvent == 43)
  }

  @Test func skipWithoutItsEventsIsAFault() throws {
    var server = try ScriptedServer()
    let client = try Recorder(in: &server)
    _ = server.frame([.init(), .init()])
    client.receive(server.keyframe())
    #expect(!client.receive(server.frame()))
    #expect(client.faults == [.eventsOwed(first: 41, last: 42)])
  }

  @Test func skipWithTooFewOrTransientEventsIsAFault() throws {
    for events in [[ScriptedServer.Event()], [ScriptedServer.Event(), .init(isReliable: false)]] {
      var server = try ScriptedServer()
      let client = try Recorder(in: &server)
      _ = server.frame([.init(), .init()])
      client.receive(server.keyframe())
      #expect(!client.receive(ScriptedServer.missed(events, first: 41)))
      #expect(client.faults.count == 1)
    }
  }

  @Test func eventsThatNobodyMissedAreAFault() throws {
    var server = try ScriptedServer()
    let client = try Recorder(in: &server)
    #expect(!client.receive(ScriptedServer.missed([.init()], first: 41)))
  }

  @Test func keyframeMayNotGoBack() throws {
    var server = try ScriptedServer()
    let client = try Recorder(in: &server)
    let old = server.keyframe()
    client.receive(server.frame())
    #expect(!client.receive(old))
    #expect(client.faults == [.keyframeFromThePast(last: Tick(101), tick: Tick(100))])
  }

  // MARK: The trailer

  @Test func whispersCountForThemselves() throws {
    var server = try ScriptedServer()
    let client = try Recorder(in: &server)
    client.receive(ScriptedServer.whisper(1) + ScriptedServer.whisper(1, reliable: false) + ScriptedServer.whisper(2))
    #expect(client.log == ["whisper 1 []", "whisper 1 []", "whisper 2 []"])
    #expect(!client.receive(ScriptedServer.whisper(4)))
    #expect(client.faults == [.whisperOrder(expected: 3, found: 4)])
  }

  @Test func repliesBelongToOpenCalls() throws {
    var server = try ScriptedServer()
    let client = try Recorder(in: &server)
    let one = try client.core.call(7, payload: [1].span)
    let two = try client.core.call(8, payload: [UInt8]().span)
    #expect(client.sent() == [.call, .call])
    client.receive(ScriptedServer.reply(two, .ok, payload: [5]) + ScriptedServer.reply(one, .rejected))
    #expect(client.log == ["reply \(two) 0 [5]", "reply \(one) 2 []"])
    #expect(!client.receive(ScriptedServer.reply(one, .ok)))
    #expect(client.faults == [.reply(id: one)])
  }

  @Test func withoutStateTicksAndEventsAreFollowed() throws {
    var server = try ScriptedServer()
    let client = try Recorder(in: &server, ClientConfiguration(keepsState: false))
    server.create(1)
    client.receive(server.frame([.init()]))
    #expect(client.log == ["event 41 16 []", "tick 101"])
    #expect(client.core.stateHash == nil)
    _ = server.frame()
    #expect(!client.receive(server.frame()))
    #expect(client.faults == [.gap(last: Tick(101), tick: Tick(103), span: 1)])
  }
}
