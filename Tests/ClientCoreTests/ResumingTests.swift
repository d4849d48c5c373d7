import ClientCore
import Testing
import WireFormat

struct ResumingTests {
  /// A client whose connection was cut, and the resume point its next Hello carries.
  private func cut(_ client: Recorder) throws -> ResumePoint {
    let outlook = client.core.connectionEnded(jitter: 0, client)
    #expect(outlook == .resume(afterMilliseconds: 125))
    client.log = []
    try client.core.connect(now: client.now)
    let body = try #require(client.messages().first).body
    guard case .resume(let point) = try Hello(body.span).credential else {
      throw ClientFault.seat("the Hello does not resume")
    }
    return point
  }

  @Test func framesGoOnWhereTheyStopped() throws {
    var server = try ScriptedServer()
    let client = try Recorder(in: &server)
    server.create(1, owner: ScriptedServer.me)
    client.receive(server.frame([.init(payload: [1])]) + ScriptedServer.whisper(1))
    let numbers = server.lastEvent
    // Raised and sent while the client was away.
    try server.set("health", 1, 9)
    let missed = server.frame([.init(payload: [2])])
    #expect(
      try cut(client)
        == ResumePoint(ticket: ScriptedServer.ticket, lastTick: Tick(101), lastEvent: numbers, lastWhisper: 1))
    client.receive(ScriptedServer.welcome())
    #expect(client.core.phase == .resumed)
    client.receive(server.joined(resumed: true, lastEvent: numbers, lastWhisper: 1))
    client.receive(ScriptedServer.whisper(2) + missed + server.frame())
    #expect(
      client.log == [
        "welcome", "resumed", "whisper 2 []", "~ entity 0:1 4", "event 42 16 [2]", "tick 102", "tick 103",
      ])
    #expect(client.faults == [])
    #expect(client.core.attempt(is: 0))
  }

  @Test func keyframeAndEventsBridgeALongAbsence() throws {
    var server = try ScriptedServer()
    server.create(1)
    let client = try Recorder(in: &server)
    client.receive(server.frame())
    server.create(2)
    for _ in 0..<100 { _ = server.frame([.init()]) }
    _ = try cut(client)
    client.receive(ScriptedServer.welcome() + server.joined(resumed: true, lastEvent: 40) + server.keyframe())
    client.receive(ScriptedServer.missed(Array(repeating: .init(), count: 100), first: 41))
    #expect(client.log.prefix(4) == ["welcome", "resumed", "+ entity 0:2", "tick 201"])
    #expect(client.log.count == 104)
    #expect(client.core.seat?.lastEvent == 140)
    #expect(client.faults == [])
  }

  @Test func cutBetweenKeyframeAndItsEventsLosesNothing() throws {
    var server = try ScriptedServer()
    let client = try Recorder(in: &server)
    _ = server.frame([.init(payload: [1])])
    client.receive(server.keyframe())
    #expect(try cut(client).lastEvent == 40)
    client.receive(ScriptedServer.welcome() + server.joined(resumed: true, lastEvent: 40) + server.keyframe())
    client.receive(ScriptedServer.missed([.init(payload: [1])], first: 41))
    #expect(client.log.last == "event 41 16 [1]")
    #expect(client.faults == [])
  }

  @Test func doubledEventAfterAResumeIsAFault() throws {
    var server = try ScriptedServer()
    let client = try Recorder(in: &server)
    client.receive(server.frame([.init()]))
    _ = try cut(client)
    client.receive(ScriptedServer.welcome() + server.joined(resumed: true))
    #expect(!client.receive(server.frame([.init()], first: 41)))
    #expect(client.faults == [.eventOrder(expected: 42, found: 41)])
  }

  @Test func anotherSessionOrSeatIsAFault() throws {
    var server = try ScriptedServer()
    let session = try Recorder(in: &server)
    _ = try cut(session)
    #expect(!session.receive(ScriptedServer.welcome(session: 10)))
    #expect(session.faults == [.seat("resumed into another session")])
    let seat = try Recorder(in: &server)
    _ = try cut(seat)
    #expect(!seat.receive(ScriptedServer.welcome() + server.joined(resumed: true, generation: 2)))
    #expect(seat.faults == [.seat("resumed into another seat or room")])
    let anew = try Recorder(in: &server)
    _ = try cut(anew)
    #expect(!anew.receive(ScriptedServer.welcome() + server.joined()))
    #expect(anew.faults == [.seat("Joined anew in a resume")])
  }

  @Test func staleTicketStartsAfresh() throws {
    var server = try ScriptedServer()
    let client = try Recorder(in: &server, ClientConfiguration(credential: .token([5])))
    _ = try cut(client)
    #expect(!client.receive(ScriptedServer.goodbye(.ticketStale)))
    guard case .fresh = client.core.connectionEnded(jitter: 0, client) else {
      Issue.record("a stale ticket must not be used again")
      return
    }
    #expect(client.core.seat == nil)
    try client.core.connect(now: 0)
    let body = try #require(client.messages().first).body
    #expect(try Hello(body.span).credential == .token([5]))
  }

  @Test(arguments: CloseReason.allCases.filter(\.isTold))
  func goodbyeDecidesWhetherToComeBack(_ reason: CloseReason) throws {
    var server = try ScriptedServer()
    let client = try Recorder(in: &server)
    #expect(!client.receive(ScriptedServer.goodbye(reason, retryAfterMilliseconds: 3_000)))
    #expect(client.log == ["goodbye \(reason.rawValue)"])
    let outlook = client.core.connectionEnded(jitter: 1, client)
    switch reason.retry {
    case .resume: #expect(outlook == .resume(afterMilliseconds: 3_250))
    case .fresh: #expect(outlook == .fresh(afterMilliseconds: 3_250))
    case .never:
      guard case .over(.goodbye(let goodbye)) = outlook else {
        Issue.record("\(reason) must end the client, not \(outlook)")
        return
      }
      #expect(goodbye.code == reason.rawValue)
      #expect(throws: ClientMisuse.phase("ended")) { try client.core.connect(now: 0) }
    }
  }

  @Test func attemptsComeLaterAndLaterAndEnd() throws {
    var server = try ScriptedServer()
    let retry = RetryPolicy(firstMilliseconds: 100, mostMilliseconds: 500, attempts: 4)
    let client = try Recorder(in: &server, ClientConfiguration(retry: retry))
    var outlooks: [Outlook] = []
    for _ in 0..<5 { outlooks.append(client.core.connectionEnded(jitter: 1, client)) }
    #expect(
      outlooks == [
        .resume(afterMilliseconds: 100), .resume(afterMilliseconds: 200), .resume(afterMilliseconds: 400),
        .resume(afterMilliseconds: 500), .over(.unreachable(attempts: 4)),
      ])
  }

  @Test func leavingIsNotResumed() throws {
    var server = try ScriptedServer()
    let client = try Recorder(in: &server)
    try client.core.leave()
    client.receive(ScriptedServer.goodbye(.draining))
    #expect(client.core.connectionEnded(jitter: 0, client) == .fresh(afterMilliseconds: 125))
  }

  @Test func openCallsAreLostAndInputNumbersGoOn() throws {
    var server = try ScriptedServer()
    server.create(1, owner: ScriptedServer.me)
    _ = server.frame()
    let client = try Recorder(in: &server)
    let health = try server.schema.key("avatar", "health", as: Int.self)
    let me = EntityID(kind: KindIndex(0), id: 1)
    _ = try client.core.call(1, payload: [UInt8]().span)
    try client.core.set(health, of: me, to: 3)
    #expect(try client.core.flushInput() == 1)
    client.core.discardForTest()
    _ = client.core.connectionEnded(jitter: 0, client)
    #expect(client.log == ["lost call 1"])
    try client.core.connect(now: 0)
    client.receive(ScriptedServer.welcome() + server.joined(resumed: true) + ScriptedServer.ack(0))
    client.core.discardForTest()
    try client.core.set(health, of: me, to: 4)
    #expect(try client.core.flushInput() == 2)
    #expect(client.receive(ScriptedServer.ack(2) + ScriptedServer.ack(2)))
    #expect(!client.receive(ScriptedServer.ack(3)))
    #expect(client.faults == [.inputAck(sequence: 3, last: 2, sent: 2)])
  }
}

extension ClientCore {
  /// Whether the next delay would be that of attempt `number`.
  func attempt(is number: Int) -> Bool {
    let most = configuration.retry.delayMilliseconds(attempt: number, retryAfterMilliseconds: nil, jitter: 1)
    final class Deaf: ClientCoreDelegate {}
    return connectionEnded(jitter: 1, Deaf()) == .resume(afterMilliseconds: most)
  }
}
