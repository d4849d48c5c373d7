import ClientCore
import Testing

/// What games see of the time: it never runs backwards, and gets where it should within a stated time.
struct SteadyClockTests {
  /// A client and a server whose clocks the test sets; both count microseconds.
  private struct Clocks {
    var local: UInt64 = 50_000_000
    /// Server clock minus local clock.
    var offset: Int64 = 3_000_000
    var sync = ClockSync()
    private var told: UInt64 = 0
    private var toldArrival: UInt64 = 0
    /// Told once.
    private var ranBackwards = false

    var server: UInt64 { UInt64(Int64(local) + offset) }

    /// A ping whose ways take so long.
    mutating func ping(there: UInt64, back: UInt64) {
      let sent = local
      pass(there)
      let answer = server
      pass(back)
      sync.add(sent: sent, received: local, server: answer)
      look()
    }

    /// Time passes, and a game looks at the clock every 2 ms.
    mutating func pass(_ microseconds: UInt64) {
      let end = local + microseconds
      while local + 2_000 < end {
        local += 2_000
        look()
      }
      local = end
      look()
    }

    mutating func look() {
      guard let now = sync.serverTime(at: local), let arrival = sync.arrivalTime(at: local) else { return }
      if now < told || arrival < toldArrival, !ranBackwards {
        ranBackwards = true
        Issue.record("ran backwards by \(told - min(told, now)) us")
      }
      (told, toldArrival) = (max(told, now), max(toldArrival, arrival))
    }

    var error: Int64 { sync.serverTime(at: local).map { Int64($0) - Int64(server) } ?? 0 }
  }

  @Test func aGoodSampleThatLeavesTheWindowMakesNoStep() {
    var clocks = Clocks()
    clocks.ping(there: 10_000, back: 10_000)
    for _ in 0..<8 {
      clocks.pass(960_000)
      clocks.ping(there: 5_000, back: 35_000)
    }
    // Half of what the two ways differ by is what nobody can know.
    #expect(clocks.error.magnitude <= 15_000)
    let before = clocks.sync.serverTime(at: clocks.local) ?? 0
    let after = clocks.sync.serverTime(at: clocks.local + 100_000) ?? 0
    #expect((before + 94_999...before + 105_001).contains(after))
    clocks.pass(2_000_000)
    #expect(clocks.sync.serverTime(at: clocks.local) == UInt64(Int64(clocks.local) + clocks.sync.offsetMicroseconds!))
  }

  @Test(arguments: [-240_000, -100_000, -4_000, 4_000, 100_000, 240_000] as [Int64])
  func smallCorrectionsTakeTwentyTimesTheirLength(correction: Int64) {
    var clocks = Clocks()
    clocks.ping(there: 500, back: 500)
    clocks.offset += correction
    clocks.ping(there: 500, back: 500)
    let began = clocks.sync.serverTime(at: clocks.local) ?? 0
    let half = correction.magnitude * 10
    clocks.pass(half)
    let run = Int64(clocks.sync.serverTime(at: clocks.local) ?? 0) - Int64(began)
    #expect((run - Int64(half) - correction / 2).magnitude <= 2, "half of it after half of the time, 5% a second")
    clocks.pass(half + 40)
    #expect(clocks.error.magnitude <= 2)
  }

  @Test(arguments: [260_000, 5_000_000, 28_800_000_000] as [Int64])
  func aMachineThatSleptIsAheadAtOnce(slept: Int64) {
    var clocks = Clocks()
    for _ in 0..<8 { clocks.ping(there: 1_000, back: 1_000) }
    // This machine's clock stood still meanwhile. Old samples had shorter ways, and count no more.
    clocks.offset += slept
    clocks.ping(there: 30_000, back: 30_000)
    #expect(clocks.error.magnitude <= 2)
  }

  @Test(arguments: [300_000, 2_500_000] as [Int64])
  func aServerThatSleptIsWaitedFor(slept: Int64) {
    var clocks = Clocks()
    for _ in 0..<8 { clocks.ping(there: 1_000, back: 1_000) }
    clocks.offset -= slept
    clocks.ping(there: 20_000, back: 20_000)
    let stood = clocks.sync.serverTime(at: clocks.local)
    clocks.pass(UInt64(slept) / 2)
    clocks.ping(there: 20_000, back: 20_000)
    #expect(clocks.sync.serverTime(at: clocks.local) == stood, "it stands")
    clocks.pass(UInt64(slept) / 2)
    #expect(clocks.error.magnitude <= 2, "and goes on when that time is reached")
    clocks.pass(1_000_000)
    #expect(clocks.error.magnitude <= 2)
  }

  @Test func anotherSessionBeginsAnewAndItsFirstEstimateIsReplacedAtOnce() {
    var clocks = Clocks()
    clocks.ping(there: 1_000, back: 1_000)
    clocks.sync.reset()
    clocks.sync.add(sent: clocks.local, received: clocks.local + 4_000_000, server: 0)
    clocks.sync.add(sent: clocks.local + 4_000_000, received: clocks.local + 4_001_000, server: 700_000)
    #expect(clocks.sync.serverTime(at: clocks.local + 4_001_000) == 700_500)
    clocks.sync.beginReading()
    clocks.sync.add(sent: clocks.local + 5_000_000, received: clocks.local + 5_000_800, server: 1_650_000)
    #expect(clocks.sync.serverTime(at: clocks.local + 5_000_800) == 1_700_300, "from now on it is slewed")
  }

  @Test(arguments: 0..<200) func whateverComesItNeverRunsBackwardsAndConverges(seed: Int) {
    var random = Random(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1)
    var clocks = Clocks()
    for _ in 0..<30 {
      clocks.ping(there: random.below(200_000), back: random.below(200_000))
      clocks.pass(random.below(700_000))
      switch random.below(10) {
      case 0: clocks.offset += Int64(random.below(40_000_000))
      case 1: clocks.offset -= Int64(random.below(3_000_000))
      default: clocks.offset += Int64(random.below(200)) - 100
      }
    }
    // Quiet now: eight samples to know, 5 s to slew, and the time to be waited for.
    for _ in 0..<20 {
      clocks.ping(there: 1_000, back: 1_000)
      clocks.pass(1_000_000)
    }
    #expect(clocks.error.magnitude <= 1_000, "seed \(seed): off by \(clocks.error)")
  }

  @Test func theEndsOfTheRangeTrapNothing() {
    for server in [0, 1, .max / 2, .max / 2 + 1, .max - 1, .max] as [UInt64] {
      var sync = ClockSync()
      for local in [0, 1_000, .max / 2, .max - 1] as [UInt64] {
        sync.add(sent: local, received: local + 1, server: server)
        _ = sync.serverTime(at: local)
        _ = sync.arrivalTime(at: .max)
      }
    }
  }

  private struct Random {
    var state: UInt64

    mutating func below(_ bound: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % bound
    }
  }
}
