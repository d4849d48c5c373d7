import ClientCore
import Testing
import WireFormat

struct ClockTests {
  @Test func shortestRoundTripOfTheLastEightCounts() {
    var clock = ClockSync()
    #expect(clock.serverTime(at: 0) == nil)
    // The server is 5 s ahead; delays differ on the two ways, so that slow samples are wrong by half the difference.
    func sample(_ sent: UInt64, there: UInt64, back: UInt64) {
      clock.add(sent: sent, received: sent + there + back, server: sent + there + 5_000_000)
    }
    sample(1_000_000, there: 90_000, back: 10_000)
    #expect(clock.offsetMicroseconds == 5_040_000)
    sample(2_000_000, there: 10_000, back: 10_000)
    #expect(clock.offsetMicroseconds == 5_000_000)
    #expect(clock.roundTripMicroseconds == 20_000)
    for number in 3...9 { sample(UInt64(number) * 1_000_000, there: 40_000, back: 60_000) }
    #expect(clock.offsetMicroseconds == 5_000_000)
    sample(10_000_000, there: 40_000, back: 60_000)
    #expect(clock.offsetMicroseconds == 4_990_000, "the good sample is older than eight")
    #expect(clock.serverTime(at: 11_000_000) == 15_990_000)
  }

  @Test func pingsAreSentEverySecondAndMeasured() throws {
    var server = try ScriptedServer()
    let client = try Recorder(in: &server)
    let start = client.now
    client.now = start + 999_999
    #expect(client.core.tick(now: client.now))
    #expect(client.sent() == [])
    client.now = start + 1_000_000
    #expect(client.core.tick(now: client.now))
    let body = try #require(client.messages().first).body
    let token = try Ping.token(body.span)
    client.now += 8_000
    client.receive(ScriptedServer.pong(token, time: 7_000_000))
    // The Welcome came without delay, so its sample has the shorter round trip.
    #expect(client.core.clock.roundTripMicroseconds == 0)
    #expect(!client.receive(ScriptedServer.pong(token + 50_000, time: 0)))
    #expect(client.faults == [.pong(token: token + 50_000)])
  }

  @Test func whatTookLongIsAskedAgainOnce() throws {
    var server = try ScriptedServer()
    let client = try Recorder(in: &server)
    // The shortest round trip so far is the Welcome's, 0.
    func ask() throws -> UInt64 {
      let message = try #require(client.messages().first { $0.type == .ping })
      return try Ping.token(message.body.span)
    }
    client.now += 1_000_000
    #expect(client.core.tick(now: client.now))
    let first = try ask()
    client.now += 20_000
    client.receive(ScriptedServer.pong(first, time: 7_000_000))
    let second = try ask()
    #expect(second == client.now, "asked again as soon as the first was answered")
    client.now += 20_000
    client.receive(ScriptedServer.pong(second, time: 7_020_000))
    #expect(client.sent() == [], "the second is not asked again")

    client.now += 1_000_000
    #expect(client.core.tick(now: client.now))
    let third = try ask()
    client.now += 2_000
    client.receive(ScriptedServer.pong(third, time: 8_000_000))
    #expect(client.sent() == [], "it has not waited")
  }

  @Test func pingsOfTheServerAreAnswered() throws {
    var server = try ScriptedServer()
    let client = try Recorder(in: &server)
    client.receive(ScriptedServer.ping(1234))
    let message = try #require(client.messages().first)
    #expect(message.type == .pong)
    #expect(try Pong(message.body.span) == Pong(token: 1234, timeMicroseconds: client.now))
  }

  @Test func silenceEndsTheConnection() throws {
    var server = try ScriptedServer()
    let client = try Recorder(in: &server)
    #expect(client.core.tick(now: client.now + 9_999_999))
    #expect(!client.core.tick(now: client.now + 10_000_000))
    #expect(client.core.phase == .finished(.silent))
    #expect(client.core.connectionEnded(jitter: 0, client) == .resume(afterMilliseconds: 125))
  }

  @Test func ticksAreDueAtTheirTimes() throws {
    var server = try ScriptedServer()
    let client = try Recorder(in: &server)
    let seat = try #require(client.core.seat)
    #expect(seat.dueMicroseconds(Tick(30)) == 2_000_000)
    #expect(seat.tick(atMicroseconds: 2_000_000) == 30)
    #expect(seat.tick(atMicroseconds: 2_016_667).rounded(.down) == 30)
  }
}
