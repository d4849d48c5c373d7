import Testing

@testable import BotSwarm

@Suite struct ClockBoundsTests {
  /// The server's clock is so far ahead.
  private let truth: Int64 = 1_000_000

  /// As ``ClientCore/ClockSync`` sees a round trip: it halves it.
  private func add(_ bounds: inout ClockBounds, there: UInt64, back: UInt64, truth: Int64? = nil) {
    let roundTrip = there + back
    let offset = (truth ?? self.truth) + Int64(there) - Int64(roundTrip - roundTrip / 2)
    bounds.add(offsetMicroseconds: offset, roundTripMicroseconds: roundTrip)
  }

  @Test func nothingIsKnownBeforeTheFirstRoundTrip() {
    #expect(ClockBounds().offsetMicroseconds == nil)
  }

  @Test func aQuickWayThereAndAQuickWayBackNeedNotBeOneRoundTrip() throws {
    var bounds = ClockBounds()
    add(&bounds, there: 300, back: 10)
    let one = try #require(bounds.offsetMicroseconds)
    #expect(one - truth > 100, "half a round trip is off by as much as its ways differ")
    add(&bounds, there: 10, back: 300)
    let two = try #require(bounds.offsetMicroseconds)
    #expect(abs(two - truth) <= 3)
  }

  /// The quickest way there and the quickest way back bound the truth, be they of one round trip or of two.
  @Test func theTruthIsAsNearAsTheQuickestWaysAre() throws {
    var random = SplitMix64(seed: 1)
    for _ in 0..<200 {
      var bounds = ClockBounds()
      var quickestThere = UInt64.max
      var quickestBack = UInt64.max
      for _ in 0..<20 {
        let there = UInt64.random(in: 0...2_000, using: &random)
        let back = UInt64.random(in: 0...2_000, using: &random)
        quickestThere = min(quickestThere, there)
        quickestBack = min(quickestBack, back)
        add(&bounds, there: there, back: back)
        let offset = try #require(bounds.offsetMicroseconds)
        #expect(abs(offset - truth) <= Int64(quickestThere + quickestBack) / 2 + 3)
      }
    }
  }

  @Test func clocksThatDriftApartBeginAnew() throws {
    var bounds = ClockBounds()
    add(&bounds, there: 20, back: 20)
    add(&bounds, there: 20, back: 20, truth: truth + 500)
    let offset = try #require(bounds.offsetMicroseconds)
    #expect(abs(offset - truth - 500) <= 3)
  }
}
