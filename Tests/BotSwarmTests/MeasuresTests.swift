import Glibc
import Testing

@testable import BotSwarm

@Suite struct MeasuresTests {
  private let tick: UInt64 = 33_333

  @Test func aBotThatGetsEveryTickHasTheFullRateWhereverTheWindowBegins() throws {
    for offset in stride(from: UInt64(0), to: 33_333, by: 1_111) {
      var window = SteadyWindow()
      for index in 0..<300 { window.recordFrame(atMicroseconds: 1_000_000 + offset + UInt64(index) * tick) }
      let rate = try #require(
        window.ratePerSecond(fromMicroseconds: 1_000_000, toMicroseconds: 11_000_000, tickMicroseconds: tick))
      #expect(abs(rate - 30) < 0.01, "offset \(offset)")
    }
  }

  @Test func aBotThatIsCutOffHalfwayHasHalfTheRate() throws {
    var window = SteadyWindow()
    for index in 0..<150 { window.recordFrame(atMicroseconds: 1_000_000 + UInt64(index) * tick) }
    let rate = try #require(
      window.ratePerSecond(fromMicroseconds: 1_000_000, toMicroseconds: 11_000_000, tickMicroseconds: tick))
    #expect(abs(rate - 15) < 0.2)
  }

  @Test func aBotKeptWaitingAtTheStartHasLess() throws {
    var window = SteadyWindow()
    for index in 150..<300 { window.recordFrame(atMicroseconds: 1_000_000 + UInt64(index) * tick) }
    let rate = try #require(
      window.ratePerSecond(fromMicroseconds: 1_000_000, toMicroseconds: 11_000_000, tickMicroseconds: tick))
    #expect(abs(rate - 15) < 0.2)
  }

  @Test func aBotWithoutFramesHasRateZero() {
    let rate = SteadyWindow().ratePerSecond(fromMicroseconds: 0, toMicroseconds: 10_000_000, tickMicroseconds: tick)
    #expect(rate == 0)
  }

  @Test func theWorstBotIsNotHiddenByTheOthers() throws {
    let rates = try #require(RateSummary([Double](repeating: 30, count: 999) + [12]))
    #expect(rates.min == 12)
    #expect(rates.p50 == 30)
    #expect(RateSummary([]) == nil)
  }

  @Test func percentilesComeFromWhatWasRecorded() throws {
    var distribution = Distribution()
    #expect(distribution.summary == nil)
    for value in 1...1_000 { distribution.record(microseconds: UInt64(value)) }
    let summary = try #require(distribution.summary)
    #expect(summary.p50Microseconds == 500)
    #expect(summary.p99Microseconds == 990)
    #expect(summary.maxMicroseconds == 1_000)
  }

  @Test func anOutageCountsAsTheLongestLatencyInsteadOfVanishing() throws {
    var distribution = Distribution()
    distribution.record(microseconds: .max)
    let summary = try #require(distribution.summary)
    #expect(summary.count == 1)
    #expect(summary.maxMicroseconds >= Distribution.longestMicroseconds)
  }

  @Test func bucketsDoubleAndHoldEveryValue() {
    var distribution = Distribution()
    for value in [10, 130, 130, 900, 5_000] { distribution.record(microseconds: UInt64(value)) }
    let buckets = distribution.doublingBuckets
    #expect(buckets.map(\.count).reduce(0, +) == 5)
    #expect(buckets.first?.count == 1)
    #expect(zip(buckets, buckets.dropFirst()).allSatisfy { $0.highMicroseconds == $1.lowMicroseconds })
  }

  @Test func ownProcessIsSampled() throws {
    var sampler = ProcessSampler(pid: getpid())
    let first = sampler.sample(atMicroseconds: 0)
    _ = try #require(first)
    // Enough work for a clock tick of 10 ms.
    var sum = 0.0
    for index in 0..<30_000_000 { sum += Double(index).squareRoot() }
    let second = sampler.sample(atMicroseconds: 1_000_000)
    let sample = try #require(second)
    #expect(sum > 0)
    #expect(sample.residentBytes > 1_000_000)
    #expect(sample.cores > 0)
    #expect(sample.descriptors >= 3)
    #expect(sample.threads >= 1)
  }

  @Test func aProcessThatIsGoneHasNoSample() {
    var sampler = ProcessSampler(pid: 1, procDirectory: "/nonexistent")
    let sample = sampler.sample(atMicroseconds: 0)
    #expect(sample == nil)
  }

  @Test func aCommandNameWithSpacesAndParenthesesDoesNotShiftTheFields() {
    let stat = "42 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 700 30 0 0 20 0"
    #expect(ProcessSampler.cpuTicks(stat: stat) == 730)
  }

  @Test func theSameSeedGivesTheSameNumbers() {
    // Reference values of SplitMix64 with seed 1234567.
    var random = SplitMix64(seed: 1_234_567)
    let numbers = [random.next(), random.next()]
    #expect(numbers == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973])
  }
}
