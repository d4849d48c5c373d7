import Testing

@testable import RoomEngine

@Suite struct ServerLifecycleTests {
  typealias Lifecycle = ServerLifecycle

  private static func at(_ seconds: UInt64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

  private static func within(_ seconds: UInt64) -> Lifecycle.Order { .within(nanoseconds: seconds * 1_000_000_000) }

  private static let hour = LameDuck(nanoseconds: 3600 * 1_000_000_000, from: at(0))

  /// One that is to end after an hour at the latest.
  private func lameDuck(bySignal isSignalled: Bool = false) -> Lifecycle {
    var lifecycle = Lifecycle()
    let action =
      isSignalled
      ? lifecycle.handle(.signalled(Self.within(3600), now: Self.at(0)))
      : lifecycle.handle(.asked(Self.within(3600), now: Self.at(0)))
    #expect(action == .letRoomsEnd(Self.hour))
    return lifecycle
  }

  // MARK: Signals

  @Test func withoutALameDuckTheFirstSignalDrainsAndTheSecondStops() {
    var lifecycle = Lifecycle()
    #expect(lifecycle.handle(.signalled(.atOnce, now: Self.at(1))) == .drain)
    #expect(lifecycle.handle(.signalled(.atOnce, now: Self.at(2))) == .stop)
    #expect(lifecycle.handle(.signalled(.atOnce, now: Self.at(3))) == .none)
  }

  @Test func withALameDuckEachSignalIsAStep() {
    var lifecycle = lameDuck(bySignal: true)
    #expect(lifecycle.handle(.signalled(Self.within(3600), now: Self.at(1))) == .drain)
    #expect(lifecycle.handle(.signalled(Self.within(3600), now: Self.at(2))) == .stop)
    #expect(lifecycle.state == .ended)
  }

  /// A supervisor's hook asks first, and then the supervisor sends its signal: no player should lose by that.
  @Test func theSignalThatFollowsACommandIsNoSecondSignal() {
    var lifecycle = lameDuck()
    #expect(lifecycle.handle(.signalled(Self.within(7200), now: Self.at(1))) == .letRoomsEnd(Self.hour))
    #expect(lifecycle.handle(.signalled(Self.within(7200), now: Self.at(2))) == .drain)
  }

  @Test func aSignalDrainsWhereItIsConfiguredTo() {
    var lifecycle = lameDuck()
    #expect(lifecycle.handle(.signalled(.atOnce, now: Self.at(1))) == .drain)
  }

  // MARK: Commands

  @Test func ofTwoDeadlinesTheEarlierCounts() {
    var lifecycle = lameDuck()
    let sooner = LameDuck(nanoseconds: 600 * 1_000_000_000, from: Self.at(60))
    #expect(lifecycle.handle(.asked(Self.within(600), now: Self.at(60))) == .letRoomsEnd(sooner))
    #expect(lifecycle.handle(.asked(Self.within(7200), now: Self.at(61))) == .letRoomsEnd(sooner))
    #expect(lifecycle.handle(.clock(now: Self.at(659))) == .none)
    #expect(lifecycle.handle(.clock(now: Self.at(660))) == .drain)
  }

  @Test func aCommandMayEndTheLameDuckAtOnce() {
    var lifecycle = lameDuck(bySignal: true)
    #expect(lifecycle.handle(.asked(.atOnce, now: Self.at(1))) == .drain)
    #expect(lifecycle.handle(.asked(.atOnce, now: Self.at(2))) == .none, "asking again is not a second signal")
    #expect(lifecycle.handle(.asked(Self.within(9), now: Self.at(2))) == .none)
    #expect(lifecycle.state == .draining)
  }

  // MARK: The end of a lame duck

  @Test func theLastRoomEndsIt() {
    var lifecycle = lameDuck()
    #expect(lifecycle.handle(.roomsGone) == .drain)
    #expect(lifecycle.handle(.roomsGone) == .none, "every loop sees it")
    #expect(lifecycle.handle(.clock(now: Self.at(9999))) == .none)
  }

  @Test func aServerThatServesIsNotEndedByTimeOrForWantOfRooms() {
    var lifecycle = Lifecycle()
    #expect(lifecycle.handle(.clock(now: Self.at(9999))) == .none)
    #expect(lifecycle.handle(.roomsGone) == .none)
    #expect(lifecycle.state == .serving)
  }

  @Test func aFailedStartEndsAllAtOnce() {
    for var lifecycle in [Lifecycle(), lameDuck(), lameDuck(bySignal: true)] {
      #expect(lifecycle.handle(.failed) == .stop)
      #expect(lifecycle.handle(.failed) == .none)
    }
  }

  // MARK: Spreading

  @Test(arguments: [(8, 6), (40, 30), (41, 31), (3600, 3590), (7 * 24 * 3600, 24 * 3600 - 10)] as [(UInt64, UInt64)])
  func theLastQuarterAndTenSecondsAtMostAreForClosing(whole: UInt64, closesFrom: UInt64) {
    let lameDuck = LameDuck(nanoseconds: whole * 1_000_000_000, from: Self.at(5))
    #expect(lameDuck.closesFrom >= Self.at(5 + closesFrom))
    #expect(lameDuck.closesFrom < Self.at(6 + closesFrom))
    #expect(lameDuck.until == Self.at(5 + min(whole, 24 * 3600)))
  }

  @Test(arguments: [1, 2, 39, 40, 1000, 1_000_000])
  func goodbyesAreSpreadEvenly(players: Int) {
    let (lameDuck, step) = (Self.hour, UInt64(250_000_000))
    var (told, now, most) = (0, lameDuck.closesFrom, 0)
    let early = Instant(nanoseconds: now.nanoseconds - 1)
    #expect(lameDuck.dueGoodbyes(of: players, told: 0, now: early, stepNanoseconds: step) == 0)
    while now < lameDuck.until {
      let due = lameDuck.dueGoodbyes(of: players - told, told: told, now: now, stepNanoseconds: step)
      told += due
      most = max(most, due)
      now = now.advanced(byNanoseconds: step)
    }
    #expect(told == players)
    #expect(most <= players / 40 + 1)
  }

  /// A room is closed as a whole: two large ones, one in the middle of the time and one at its end.
  @Test func whatIsNotUsedOfAStepIsKept() {
    let (lameDuck, step) = (Self.hour, UInt64(250_000_000))
    var (told, steps) = (0, [Int]())
    for index in 0..<40 {
      let now = lameDuck.closesFrom.advanced(byNanoseconds: step * UInt64(index))
      while lameDuck.dueGoodbyes(of: 200 - told, told: told, now: now, stepNanoseconds: step) >= 100 {
        told += 100
        steps.append(index)
      }
    }
    #expect(steps == [19, 39])
  }

  @Test func afterAStandstillAllThatIsLeftIsDue() {
    for second: UInt64 in [3600, 3601, 99_999] {
      #expect(Self.hour.dueGoodbyes(of: 77, told: 3, now: Self.at(second), stepNanoseconds: 250_000_000) == 77)
    }
    #expect(Self.hour.dueGoodbyes(of: 0, told: 3, now: Self.at(3600), stepNanoseconds: 250_000_000) == 0)
  }
}
