import Glibc
import Testing

@testable import TickServer

@Suite("Tick histograms")
struct TickHistogramTests {
  @Test("a percentile is off by less than 1.6%, from microseconds to seconds")
  func resolution() {
    for exponent in stride(from: 13.0, through: 33, by: 0.37) {
      let histogram = TickHistogram()
      let value = UInt64(exp2(exponent))
      for _ in 0..<99 { histogram.record(value) }
      histogram.record(value * 2)
      let median = Double(histogram.reading.nanoseconds(atShare: 0.5))
      #expect(abs(median / Double(value) - 1) < 1.0 / 64 + 256 / Double(value), "\(value): \(median)")
      #expect(histogram.reading.nanoseconds(atShare: 1) == value * 2)
    }
  }

  @Test("values spread evenly have their percentiles where they belong")
  func uniform() {
    let histogram = TickHistogram()
    for value in 1...10_000 as ClosedRange<UInt64> { histogram.record(value * 1000) }
    let reading = histogram.reading
    for share in [0.01, 0.25, 0.5, 0.9, 0.99, 0.999] {
      let found = Double(reading.nanoseconds(atShare: share)) / 10_000_000
      #expect(abs(found - share) < 0.002, "\(share): \(found)")
    }
    #expect(reading.count == 10_000)
    #expect(reading.sumNanoseconds == 10_000 * 10_001 / 2 * 1000)
    #expect(reading.worstNanoseconds == 10_000_000)
  }

  @Test("counts up to a bound grow with it, and end at all but those beyond the range")
  func cumulative() {
    let histogram = TickHistogram()
    for value in [0, 255, 40_000, 60_000, 900_000, 40_000_000, 200_000_000] as [UInt64] { histogram.record(value) }
    let reading = histogram.reading
    let counts = Metric.boundsMicroseconds.map { reading.count(upTo: $0 * 1000) }
    #expect(counts == [3, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 6, 6])
    #expect(reading.count == 7)
  }

  @Test("what is beyond the range is counted in the last bucket, and the worst is exact")
  func extremes() {
    let histogram = TickHistogram()
    histogram.record(.max)
    histogram.record(0)
    #expect(histogram.reading.count == 2)
    #expect(histogram.reading.worstNanoseconds == .max)
    #expect(histogram.reading.nanoseconds(atShare: 0) == 0)
    #expect(TickHistogram().reading.nanoseconds(atShare: 0.99) == 0)
  }

  @Test("a reading does not change with later ticks, and readings add up")
  func readings() {
    let histogram = TickHistogram()
    histogram.record(1000)
    let before = histogram.reading
    histogram.record(2000)
    #expect(before.count == 1)
    #expect(before.count(upTo: 10_000) == 1)
    let sum = before + histogram.reading
    #expect(sum.count == 3)
    #expect(sum.count(upTo: 10_000) == 3)
    #expect(sum.sumNanoseconds == 4000)
    #expect(sum.worstNanoseconds == 2000)
  }
}
