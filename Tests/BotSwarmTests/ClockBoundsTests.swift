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
    #expect(ClockBounds().errorMicroseconds == nil)
  }

  @Test func aQuickWayThereAndAQuickWayBackNeedNotBeOneRoundTrip() throws {
    var bounds = ClockBounds()
    add(&bounds, there: 300, back: 10)
    let one = try #require(bounds.offsetMicroseconds)
    #expect(one - truth > 100, "half a round trip is off by as much as its ways differ")
    add(&bounds, there: 10, back: 300)
    let two = try #require(bounds.offsetMicroseconds)
    #expect(abs(two - truth) <= 3)
    let error = try #require(bounds.errorMicroseconds)
    #expect(error >= 10 && error <= 13)
  }

  @Test func theTruthStaysWithinTheErrorWhateverTheWaysTake() throws {
    var random = SplitMix64(seed: 1)
    for _ in 0..<200 {
      var bounds = ClockBounds()
      for _ in 0..<20 {
        add(&bounds, there: .random(in: 0...2_000, using: &random), back: .random(in: 0...2_000, using: &random))
        let offset = try #require(bounds.offsetMicroseconds)
        let error = try #require(bounds.errorMicroseconds)
        #expect(abs(offset - truth) <= Int64(error))
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
