import RoomEngine
import Testing

@Suite struct TickScheduleTests {
  private static let second: UInt64 = 1_000_000_000

  @Test(arguments: [30, 128, 7])
  func dueTimesDoNotDriftOverADay(rate: Int) throws {
    var schedule = TickSchedule(origin: Instant(nanoseconds: 12_345), phases: 1)
    let place = schedule.add(rate: rate, now: Instant(nanoseconds: 12_345))
    var last = place.start
    /// Takes every tick of so many seconds.
    func follow(seconds: Int, from first: UInt64) {
      for number in first..<(first + UInt64(rate * seconds)) {
        guard let due = schedule.next, let taken = schedule.takeDue(now: due), taken.number - place.first == number,
          taken.missed == 0, taken.due == due
        else {
          Issue.record("tick \(number) was not taken when it was due")
          return
        }
        last = taken.due
      }
    }
    let day: UInt64 = 86_400
    follow(seconds: 100, from: 1)
    #expect(last.nanoseconds(since: place.start) == 100 * Self.second)
    let late = schedule.takeDue(now: place.start.advanced(byNanoseconds: (day - 100) * Self.second))
    #expect(late?.number == place.first + UInt64(rate) * (day - 100))
    follow(seconds: 100, from: UInt64(rate) * (day - 100) + 1)
    #expect(last.nanoseconds(since: place.start) == day * Self.second)
  }

  @Test func aTickIsNotDueANanosecondEarly() throws {
    var schedule = TickSchedule(origin: Instant(nanoseconds: 0), phases: 1)
    _ = schedule.add(rate: 30, now: Instant(nanoseconds: 0))
    let early = schedule.takeDue(now: Instant(nanoseconds: 33_333_332))
    let punctual = schedule.takeDue(now: Instant(nanoseconds: 33_333_333))
    #expect(early == nil)
    #expect(punctual?.number == 1)
  }

  @Test(arguments: [1, 2, 30]) func ticksThatTheNextOvertakesAreLost(late: UInt64) throws {
    var schedule = TickSchedule(origin: Instant(nanoseconds: 0), phases: 1)
    _ = schedule.add(rate: 10, now: Instant(nanoseconds: 0))
    // Tick 1 is due after 100 ms, the next whole ticks later.
    let overtaken = Instant(nanoseconds: 100_000_000 * (1 + late))
    var earlier = schedule
    let barely = earlier.takeDue(now: Instant(nanoseconds: overtaken.nanoseconds - 1))
    #expect(barely?.number == late)
    #expect(barely?.missed == late - 1)
    #expect(barely?.due == Instant(nanoseconds: 100_000_000 * late))
    #expect(earlier.next == overtaken)
    let taken = schedule.takeDue(now: overtaken)
    #expect(taken?.number == 1 + late)
    #expect(taken?.missed == late)
    #expect(taken?.due == overtaken)
    #expect(schedule.next == overtaken.advanced(byNanoseconds: 100_000_000))
    let nothing = schedule.takeDue(now: overtaken)
    #expect(nothing == nil)
  }

  @Test func aGroupWithoutRoomsIsNeverDue() {
    var schedule = TickSchedule(origin: Instant(nanoseconds: 0), phases: 2)
    let places = (0..<2).map { _ in schedule.add(rate: 10, now: Instant(nanoseconds: 0)) }
    schedule.remove(places[0])
    #expect(schedule.next == Instant(nanoseconds: 150_000_000))
    schedule.remove(places[1])
    #expect(schedule.next == nil)
    let nothing = schedule.takeDue(now: Instant(nanoseconds: 10 * Self.second))
    #expect(nothing == nil)
    // Whoever comes next begins with the next tick, not with those that nobody waited for.
    _ = schedule.add(rate: 10, now: Instant(nanoseconds: 10 * Self.second + 1))
    #expect(schedule.next == Instant(nanoseconds: 10 * Self.second + 100_000_000))
  }

  @Test func roomsOfOneRateAreSpreadOverItsPhases() {
    var schedule = TickSchedule(origin: Instant(nanoseconds: 0), phases: 4)
    let places = (0..<8).map { _ in schedule.add(rate: 10, now: Instant(nanoseconds: 0)) }
    #expect(places.prefix(4).map(\.group) == [0, 1, 2, 3])
    #expect(places.suffix(4).map(\.group) == [0, 1, 2, 3])
    #expect(places.prefix(4).map(\.start.nanoseconds) == [0, 50_000_000, 25_000_000, 75_000_000])
    schedule.remove(places[2])
    let next = schedule.add(rate: 10, now: Instant(nanoseconds: 0))
    #expect(next.group == 2)
    let other = schedule.add(rate: 30, now: Instant(nanoseconds: 0))
    #expect(other.group == 4)
  }

  @Test(arguments: [5, 6, 8, 32]) func howeverFewRoomsThereAreTheyStandApart(phases: Int) {
    var schedule = TickSchedule(origin: Instant(nanoseconds: 0), phases: phases)
    var starts: [UInt64] = []
    for count in 1...phases {
      starts.append(schedule.add(rate: 10, now: Instant(nanoseconds: 0)).start.nanoseconds)
      let sorted = starts.sorted()
      let gaps = zip(sorted, sorted.dropFirst() + [100_000_000]).map { $1 - $0 }
      // A gap is never filled while one of more than twice its length is open; whole phases and nanoseconds aside.
      let narrowest = gaps.min() ?? 0
      let widest = gaps.max() ?? 0
      #expect(widest <= 2 * narrowest + 100_000_000 / UInt64(phases) + 10, "\(count) rooms: \(gaps)")
    }
    #expect(Set(starts).count == phases)
  }

  @Test(arguments: [1, 2, 3, 5, 16, 40]) func loopsTakePhasesOfTheirOwnFirst(loops: Int) {
    let phases = 32
    var schedules = (0..<loops).map {
      TickSchedule(origin: Instant(nanoseconds: 0), phases: phases, loop: $0, of: loops)
    }
    // As rooms are given to loops: one each, then the next.
    var starts: [UInt64] = []
    for _ in 0..<phases / loops {
      for loop in 0..<loops {
        starts.append(schedules[loop].add(rate: 10, now: Instant(nanoseconds: 0)).start.nanoseconds)
      }
    }
    #expect(Set(starts).count == starts.count, "two loops tick at the same instant")
    for loop in 0..<loops {
      let rest = (phases / loops..<phases).map { _ in
        schedules[loop].add(rate: 10, now: Instant(nanoseconds: 0)).start.nanoseconds
      }
      let own = stride(from: loop, to: starts.count, by: loops).map { starts[$0] }
      #expect(Set(own + rest).count == phases, "a loop with many rooms uses every phase")
    }
  }

  @Test func lateTicksAreCountedAndNotCaughtUp() throws {
    var schedule = TickSchedule(origin: Instant(nanoseconds: 0), phases: 1)
    let place = schedule.add(rate: 10, now: Instant(nanoseconds: 0))
    let taken = schedule.takeDue(now: Instant(nanoseconds: 750_000_000))
    let late = try #require(taken)
    #expect(late.number - place.first == 7)
    #expect(late.missed == 6)
    #expect(late.due == Instant(nanoseconds: 700_000_000))
    let again = schedule.takeDue(now: Instant(nanoseconds: 750_000_000))
    #expect(again == nil)
    #expect(schedule.next == Instant(nanoseconds: 800_000_000))
  }

  @Test func theEarliestOfSeveralDueTicksComesFirst() {
    var schedule = TickSchedule(origin: Instant(nanoseconds: 0), phases: 2)
    _ = schedule.add(rate: 10, now: Instant(nanoseconds: 0))
    _ = schedule.add(rate: 10, now: Instant(nanoseconds: 0))
    let now = Instant(nanoseconds: 170_000_000)
    let taken = [
      schedule.takeDue(now: now)?.group, schedule.takeDue(now: now)?.group, schedule.takeDue(now: now)?.group,
    ]
    #expect(taken == [0, 1, nil])
  }

  @Test func aGroupWithoutRoomsIsNotDueAndStartsAgainInTheFuture() {
    var schedule = TickSchedule(origin: Instant(nanoseconds: 0), phases: 1)
    let place = schedule.add(rate: 10, now: Instant(nanoseconds: 0))
    schedule.remove(place)
    #expect(schedule.next == nil)
    let idle = schedule.takeDue(now: Instant(nanoseconds: 5 * Self.second))
    #expect(idle == nil)
    let later = schedule.add(rate: 10, now: Instant(nanoseconds: 5 * Self.second))
    #expect(later.start == Instant(nanoseconds: 5 * Self.second))
    #expect(schedule.next == Instant(nanoseconds: 5_100_000_000))
  }
}
