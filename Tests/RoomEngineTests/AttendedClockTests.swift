import RoomEngine
import Testing

@Suite struct AttendedClockTests {
  private static let look: UInt64 = 250_000_000
  private static let second: UInt64 = 1_000_000_000

  private func clock() -> (AttendedClock, Instant) {
    let start = Instant(nanoseconds: 5 * Self.second)
    return (AttendedClock(start), start)
  }

  /// Looks every 250 ms.
  private func attend(_ clock: inout AttendedClock, _ now: inout Instant, seconds: UInt64) {
    for _ in 0..<(seconds * 4) {
      now = now.advanced(byNanoseconds: Self.look)
      _ = clock.look(now)
    }
  }

  @Test func whileTheLoopTurnsItIsRealTime() {
    var (clock, now) = clock()
    attend(&clock, &now, seconds: 60)
    #expect(clock.now == now)
    _ = clock.look(Instant(nanoseconds: 1))
    #expect(clock.now == now, "a look back changes nothing")
  }

  @Test(arguments: [1, 3, 9, 33, 60, 600] as [UInt64])
  func aStandstillHardlyCounts(seconds: UInt64) {
    var (clock, now) = clock()
    attend(&clock, &now, seconds: 2)
    let before = clock.now
    now = now.advanced(byNanoseconds: seconds * Self.second)
    _ = clock.look(now)
    attend(&clock, &now, seconds: 2)
    #expect(clock.now.nanoseconds(since: before) == 2 * Self.second + AttendedClock.standstillCountsNanoseconds)
  }

  @Test func afterItNothingIsJudgedUntilWhatWaitsIsRead() {
    var (clock, now) = clock()
    attend(&clock, &now, seconds: 1)
    #expect(!clock.isCatchingUp)
    now = now.advanced(byNanoseconds: 9 * Self.second)
    for _ in 0..<20 {
      _ = clock.look(now)
      #expect(clock.isCatchingUp)
      now = now.advanced(byNanoseconds: 10_000_000)
    }
    attend(&clock, &now, seconds: 1)
    #expect(!clock.isCatchingUp)
  }

  @Test func severalInARowAreOneAfterTheOther() {
    var (clock, now) = clock()
    let before = clock.look(now)
    for _ in 0..<5 {
      now = now.advanced(byNanoseconds: 60 * Self.second)
      _ = clock.look(now)
      now = now.advanced(byNanoseconds: 300_000_000)
      _ = clock.look(now)
    }
    let counted = 5 * (300_000_000 + AttendedClock.standstillCountsNanoseconds)
    #expect(clock.now.nanoseconds(since: before) == counted)
  }

  /// Else a stalled peer would stay for ever on a loop that has too much to do.
  @Test func aLoopThatIsAlwaysLateComesToItsDeadlinesAllTheSame() {
    var (clock, now) = clock()
    let before = clock.look(now)
    var judgements = 0
    for _ in 0..<100 {
      now = now.advanced(byNanoseconds: 600_000_000)
      _ = clock.look(now)
      if !clock.isCatchingUp { judgements += 1 }
    }
    #expect(clock.now.nanoseconds(since: before) >= 10 * Self.second)
    #expect(judgements > 90)
  }
}
