import EventLoop
import RoomEngine
import Testing
import WireFormat

@testable import TickServer

/// Readings of a server with so many loops, all well.
func sampleReadings(loops: Int = 2, now seconds: UInt64 = 100) -> AdminReadings {
  let now = Instant(nanoseconds: seconds * 1_000_000_000)
  return AdminReadings(
    now: now, startedAt: Instant(nanoseconds: 0), startedUnixSeconds: 1_700_000_000,
    loops: (0..<loops).map { _ in LoopSnapshot(publishedAt: now) },
    process: ProcessReadings(residentBytes: 7_000_000, openDescriptors: 20, mostDescriptors: 1024))
}

@Suite("What health answers")
struct HealthTests {
  private func ago(_ milliseconds: UInt64) -> Instant {
    Instant(nanoseconds: 100_000_000_000 - milliseconds * 1_000_000)
  }

  @Test("a server whose loops turn is live and ready")
  func well() {
    var readings = sampleReadings()
    readings.loops[0].tickDue = ago(40)
    readings.loops[1].publishedAt = ago(300)
    #expect(AdminEndpoint.livez.answer(readings) == AdminResponse(status: 200, body: "live\n"))
    #expect(AdminEndpoint.readyz.answer(readings) == AdminResponse(status: 200, body: "ready\n"))
  }

  @Test("a loop that published nothing for more than 5 s is named, and the server is neither live nor ready")
  func stuck() {
    var readings = sampleReadings()
    readings.loops[1].publishedAt = ago(5000)
    #expect(AdminEndpoint.livez.answer(readings).status == 200)
    readings.loops[1].publishedAt = ago(5100)
    let body = "loop 1 has not turned for 5.1 s\n"
    #expect(AdminEndpoint.livez.answer(readings) == AdminResponse(status: 503, body: body))
    #expect(AdminEndpoint.readyz.answer(readings) == AdminResponse(status: 503, body: "ticks stopped: " + body))
  }

  @Test("a loop that has ended is not missed")
  func ended() {
    var readings = sampleReadings()
    readings.loops[0].publishedAt = ago(60_000)
    readings.loops[0].tickDue = ago(60_000)
    readings.loops[0].phase = .ended
    #expect(AdminEndpoint.livez.answer(readings).status == 200)
    #expect(readings.readinessFaults.isEmpty)
  }

  @Test("ticks that are 2 s overdue stand still: live, but not ready")
  func ticksStopped() {
    var readings = sampleReadings()
    readings.loops[1].tickDue = ago(2000)
    #expect(readings.readinessFaults.isEmpty)
    readings.loops[1].tickDue = ago(2500)
    readings.loops[1].census.rooms = 3
    #expect(readings.readinessFaults == ["ticks stopped: loop 1 is 2.5 s late, rooms on it: 3"])
    #expect(readings.livenessFaults.isEmpty)
    readings.loops[1].tickDue = nil
    readings.loops[1].publishedAt = ago(2100)
    #expect(readings.readinessFaults == ["ticks stopped: loop 1 has not turned for 2.1 s"])
  }

  @Test(
    "draining and memory pressure each keep players away, one line each",
    arguments: [MemoryStatus.Pressure.high, .critical])
  func reasons(pressure: MemoryStatus.Pressure) {
    var readings = sampleReadings()
    readings.state = .draining
    readings.memory.pressure = pressure
    let answer = AdminEndpoint.readyz.answer(readings)
    #expect(answer.status == 503)
    #expect(
      answer.body == "draining: the server is shutting down\nover budget: memory pressure is \(pressure.rawValue)\n")
    #expect(AdminEndpoint.livez.answer(readings).status == 200)
  }

  @Test("other paths, other methods")
  func routing() {
    func answer(_ method: String, _ target: String) -> AdminResponse {
      AdminEndpoint.answer(method: method, target: target, AdminSource { sampleReadings() })
    }
    #expect(answer("GET", "/livez?verbose").status == 200)
    #expect(answer("HEAD", "/readyz").status == 200)
    #expect(answer("POST", "/livez").status == 405)
    for target in ["/", "", "livez", "/livez/", "//livez", "/LIVEZ", "*"] {
      #expect(
        answer("GET", target)
          == AdminResponse(
            status: 404, body: "there is nothing here: ask for /livez, /readyz, /metrics, /ledger, /drain\n"),
        "\(target)")
    }
  }

  @Test("a lame duck keeps players away, with the time and the rooms that are left; it lives")
  func lameDuck() {
    var readings = sampleReadings()
    readings.state = .lameDuck(LameDuck(nanoseconds: 90_500_000_000, from: readings.now), isSignalled: true)
    readings.loops[1].census.rooms = 3
    #expect(
      AdminEndpoint.readyz.answer(readings)
        == AdminResponse(status: 503, body: "lame duck: no new rooms, those there end within 90.5 s, rooms: 3\n"))
    #expect(AdminEndpoint.livez.answer(readings).status == 200)
  }
}

@Suite("The command to stop")
struct DrainCommandTests {
  /// What the server was asked, and the answer; nil when it was not asked.
  private func post(
    _ target: String, method: String = "POST", isFromPage: Bool = false
  ) -> (order: ServerLifecycle.Order??, answer: AdminResponse) {
    let asked = Locked<ServerLifecycle.Order??>(nil)
    let source = AdminSource {
      sampleReadings()
    } stop: { order in
      asked.withLock { $0 = .some(order) }
    }
    let answer = AdminEndpoint.answer(method: method, target: target, isFromPage: isFromPage, source)
    return (asked.withLock { $0 }, answer)
  }

  @Test("without a deadline the configuration decides")
  func plain() {
    let (order, answer) = post("/drain")
    #expect(order == .some(nil))
    #expect(answer.status == 200)
    #expect(answer.body == #"{"players":0,"rooms":0,"state":"serving"}"# + "\n")
  }

  @Test("the deadline is a time, or now")
  func deadlines() {
    #expect(post("/drain?deadline=30m").order == .some(.within(nanoseconds: 1_800_000_000_000)))
    #expect(post("/drain?deadline=now").order == .some(.atOnce))
  }

  @Test(
    "anything else is refused with what is allowed, and nobody is asked",
    arguments: ["deadline=0s", "deadline=5", "deadline=25h", "deadline=", "deadline=off", "in=5s", "deadline=5s&x=1"])
  func wrong(query: String) {
    let (order, answer) = post("/drain?" + query)
    #expect(order == nil)
    #expect(answer.status == 400)
    #expect(answer.body.contains("100ms to 24h") || answer.body.contains("only deadline=TIME"), "\(answer.body)")
  }

  @Test("looking changes nothing; other methods are told which are allowed")
  func methods() {
    for method in ["GET", "HEAD"] {
      #expect(post("/drain?deadline=now", method: method).order == nil)
      #expect(post("/drain", method: method).answer.status == 200)
    }
    #expect(post("/drain", method: "PUT").answer.allowedMethods == "GET, HEAD, POST")
    #expect(post("/readyz").answer.allowedMethods == "GET, HEAD")
    for target in ["/drain", "/readyz"] {
      #expect(post(target, method: "DELETE").answer.status == 405)
      #expect(post(target, method: "DELETE").order == nil)
    }
  }

  @Test("a web page may look and not stop the server")
  func pages() {
    let (order, answer) = post("/drain?deadline=now", isFromPage: true)
    #expect(order == nil)
    #expect(answer.status == 403)
    #expect(post("/drain", method: "GET", isFromPage: true).answer.status == 200)
  }
}
