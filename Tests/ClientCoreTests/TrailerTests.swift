import ClientCore
import Testing
import WireFormat

/// A frame and the acknowledgement that belongs to it are told together, however the network cuts the stream.
struct TrailerTests {
  /// What somebody who looks after each chunk sees.
  private struct View: Equatable {
    var tick: UInt32
    var acknowledged: UInt32
  }

  private struct Play {
    var server: ScriptedServer
    let client: Recorder
    private let health: FieldKey<Int>

    init(joins: Bool = true) throws {
      server = try ScriptedServer()
      server.create(1, owner: ScriptedServer.me)
      _ = server.frame()
      var configuration = ClientConfiguration()
      configuration.joinsAcknowledgements = joins
      client = try Recorder(in: &server, configuration)
      health = try server.schema.key("avatar", "health", as: Int.self)
    }

    /// Sends an input that takes no time to get to the server.
    mutating func input(_ value: Int) throws {
      try client.core.set(health, of: EntityID(kind: KindIndex(0), id: 1), to: value)
      try client.core.flushInput()
      _ = client.core.takeOutput()
      client.core.inputsLeft(now: client.now)
    }

    var view: View {
      View(tick: client.core.seat?.tick?.rawValue ?? 0, acknowledged: client.core.seat?.acknowledgedInput ?? 0)
    }
  }

  @Test(arguments: 0..<40) func whereverTheStreamIsCutStateAndAcknowledgementAreOfOneTick(cut: Int) throws {
    var play = try Play()
    let first = play.server.tick
    for number in 1...3 as ClosedRange<UInt32> {
      try play.input(Int(number))
      try play.server.set("health", 1, Int(number))
      play.client.now += 40_000
      let bytes =
        play.server.frame() + ScriptedServer.whisper(UInt64(number), payload: [1, 2, 3]) + ScriptedServer.ack(number)
      let place = min(cut, bytes.count)
      for part in [bytes[..<place], bytes[place...]] where !part.isEmpty {
        play.client.receive(Array(part))
        #expect(play.view.tick - first == play.view.acknowledged, "cut at \(place) of \(bytes.count)")
        play.client.now += 3_000
      }
      #expect(play.view == View(tick: first + number, acknowledged: number))
    }
    #expect(play.client.faults == [])
  }

  @Test func nothingWaitsWhenNothingWasSent() throws {
    var play = try Play()
    play.client.receive(play.server.frame())
    #expect(play.view.tick == play.server.tick)
    try play.input(1)
    play.client.now += 40_000
    play.client.receive(play.server.frame() + ScriptedServer.ack(1))
    play.client.now += 33_000
    play.client.receive(play.server.frame())
    #expect(play.view == View(tick: play.server.tick, acknowledged: 1))
  }

  @Test func nothingWaitsBeforeAnAnswerCanBeHere() throws {
    var play = try Play()
    // A round trip of 80 ms, told by the ping that follows Welcome.
    var clock = play.client.core.clock
    #expect(clock.roundTripMicroseconds == 0)
    clock.reset()
    for _ in 0..<8 {
      play.client.now += 1_000_000
      #expect(play.client.core.tick(now: play.client.now))
      for ping in play.client.messages() where ping.type == .ping {
        let token = try Ping.token(ping.body.span)
        play.client.now += 80_000
        play.client.receive(ScriptedServer.pong(token, time: play.client.now))
      }
    }
    #expect(play.client.core.clock.roundTripMicroseconds == 80_000)
    try play.input(1)
    play.client.now += 50_000
    play.client.receive(play.server.frame())
    #expect(play.view.tick == play.server.tick, "sent 50 ms ago, and the way is 80")
    play.client.now += 33_000
    play.client.receive(play.server.frame())
    #expect(play.view.tick == play.server.tick - 1)
    play.client.receive(ScriptedServer.ack(1))
    #expect(play.view == View(tick: play.server.tick, acknowledged: 1))
  }

  @Test func theNextFrameShowsThatNoneCame() throws {
    var play = try Play()
    try play.input(1)
    play.client.now += 40_000
    play.client.receive(play.server.frame())
    #expect(play.view.tick == play.server.tick - 1)
    play.client.now += 33_000
    play.client.receive(play.server.frame())
    #expect(play.view.tick == play.server.tick - 1)
    play.client.receive(ScriptedServer.ack(1))
    #expect(play.view == View(tick: play.server.tick, acknowledged: 1))
  }

  @Test func aFrameThatHasWaitedForLongIsTold() throws {
    var play = try Play()
    try play.input(1)
    play.client.now += 40_000
    play.client.receive(play.server.frame() + ScriptedServer.whisper(1))
    let core = play.client.core
    #expect(core.tellOverdue(now: play.client.now + ClientCore.longestHoldMicroseconds - 1, play.client))
    #expect(play.view.tick == play.server.tick - 1)
    #expect(core.tellOverdue(now: play.client.now + ClientCore.longestHoldMicroseconds, play.client))
    #expect(play.view.tick == play.server.tick)
    #expect(play.client.log.contains("whisper 1 []"))
  }

  @Test func whatWaitsWhenTheConnectionEndsIsNotLost() throws {
    var play = try Play()
    try play.input(1)
    play.client.now += 40_000
    play.client.receive(play.server.frame())
    _ = play.client.core.connectionEnded(jitter: 0, play.client)
    #expect(play.view.tick == play.server.tick)
    #expect(play.client.core.resumePoint?.lastTick == Tick(play.server.tick))
  }

  @Test func whisperersCannotMakeItHoldMuch() throws {
    var play = try Play()
    try play.input(1)
    play.client.now += 40_000
    play.client.receive(play.server.frame())
    var number: UInt64 = 0
    while play.view.tick != play.server.tick {
      number += 1
      play.client.receive(ScriptedServer.whisper(number, payload: [UInt8](repeating: 7, count: 1_000)))
      try #require(number <= 70)
    }
    #expect(play.client.log.count { $0.hasPrefix("whisper") } == number)
  }

  @Test func thoseWhoMeasureAreToldAtOnce() throws {
    var play = try Play(joins: false)
    try play.input(1)
    play.client.now += 40_000
    play.client.receive(play.server.frame())
    #expect(play.view.tick == play.server.tick)
  }
}
