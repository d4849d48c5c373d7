/// When the rooms of a loop tick: absolute due times, computed from tick numbers, so that nothing drifts.
///
/// Rooms of one rate fall into a few phases spread over the tick: in one burst the last room would wait for the whole
/// fan-out, with a phase for each room a loop would wake thousands of times a second. Rooms of one group share their
/// due times.
package struct TickSchedule {
  /// Rooms that tick together.
  private struct Group {
    let rate: UInt64
    let start: Instant
    /// Number of the next tick since `start`.
    var next: UInt64 = 0
    var rooms = 0

    func due(_ number: UInt64) -> Instant {
      start.advanced(byNanoseconds: number / rate * 1_000_000_000 + number % rate * 1_000_000_000 / rate)
    }
  }

  /// A group's tick that is due.
  package struct Due: Equatable, Sendable {
    package let group: Int
    /// Ticks of the group since its start.
    package let number: UInt64
    package let due: Instant
    /// Ticks that were skipped before this one because they came too late: never caught up in a burst.
    package let missed: UInt64
  }

  /// A room's place in the schedule.
  package struct Place: Equatable, Sendable {
    package let group: Int
    /// The group's tick that is the room's tick 0.
    package let first: UInt64
    /// When that is due.
    package let start: Instant
  }

  private let origin: Instant
  /// Offsets in the order in which they are taken, as parts of the tick in `phases`: each as far as can be from those
  /// before it, so that few rooms stand apart as well as many do.
  private let order: [UInt64]
  private var groups: [Group] = []
  /// When the next tick of each group is due, never for those without rooms: looked through at every tick, which has no
  /// time to work them out.
  private var dues: [Instant] = []
  private static let never = Instant(nanoseconds: .max)

  /// - Parameters:
  ///   - origin: a moment that all due times are multiples from.
  ///   - phases: groups for each rate.
  ///   - loop: which of `loops` schedules with the same origin this is: each begins with phases of its own, so that loops
  ///     do not tick at the same instants, all of them waking their clients and filling the network at once.
  package init(origin: Instant, phases: Int, loop: Int = 0, of loops: Int = 1) {
    self.origin = origin
    let order = spreadOrder(phases: phases)
    self.order = (0..<loops).flatMap { step in
      stride(from: (loop + step) % loops, to: phases, by: loops).map { order[$0] }
    }
  }

  /// Puts a room of this rate into the phase with the fewest rooms.
  package mutating func add(rate: Int, now: Instant) -> Place {
    let group = emptiest(rate: UInt64(rate))
    if groups[group].rooms == 0 { setNext(number(in: groups[group], after: now), of: group) }
    groups[group].rooms += 1
    // Tick 0 is the state before the first tick that is run.
    let first = groups[group].next - 1
    return Place(group: group, first: first, start: groups[group].due(first))
  }

  package mutating func remove(_ place: Place) {
    groups[place.group].rooms -= 1
    if groups[place.group].rooms == 0 { dues[place.group] = Self.never }
  }

  /// When the next tick of any room is due; nil without rooms.
  package var next: Instant? { earliest.map { dues[$0] } }

  /// The earliest tick that is due by now, or nil. A group that is late by whole ticks loses them.
  package mutating func takeDue(now: Instant) -> Due? {
    guard let index = earliest, dues[index] <= now else { return nil }
    let group = groups[index]
    // Most are in time, which takes no look at how late they are.
    let latest = group.due(group.next + 1) > now ? group.next : number(in: group, after: now) - 1
    setNext(latest + 1, of: index)
    return Due(group: index, number: latest, due: group.due(latest), missed: latest - group.next)
  }

  /// The first of those groups whose next tick is due before all others'; nil without rooms.
  private var earliest: Int? {
    var (found, least): (Int?, Instant) = (nil, Self.never)
    for index in dues.indices where dues[index] < least { (found, least) = (index, dues[index]) }
    return found
  }

  private mutating func setNext(_ number: UInt64, of group: Int) {
    groups[group].next = number
    dues[group] = groups[group].due(number)
  }

  private mutating func emptiest(rate: UInt64) -> Int {
    if !groups.contains(where: { $0.rate == rate }) {
      for phase in order {
        let offset = 1_000_000_000 * phase / (rate * UInt64(order.count))
        groups.append(Group(rate: rate, start: origin.advanced(byNanoseconds: offset)))
        dues.append(Self.never)
      }
    }
    let candidates = groups.indices.filter { groups[$0].rate == rate }
    return candidates.min { groups[$0].rooms < groups[$1].rooms } ?? 0
  }

  /// Number of the first tick after `now`, at least 1.
  private func number(in group: Group, after now: Instant) -> UInt64 {
    let elapsed = now.nanoseconds(since: group.start)
    var number = max(1, elapsed / 1_000_000_000 * group.rate + elapsed % 1_000_000_000 * group.rate / 1_000_000_000)
    while group.due(number) <= now { number += 1 }
    return number
  }
}

/// All phases in an order that halves the gaps one after the other: each is the one farthest from those before it, around
/// the tick.
private func spreadOrder(phases: Int) -> [UInt64] {
  var order: [Int] = [0]
  while order.count < phases {
    func distance(_ phase: Int) -> Int {
      order.map { min(abs($0 - phase), phases - abs($0 - phase)) }.min() ?? 0
    }
    let rest = (0..<phases).filter { !order.contains($0) }
    // The first of several: max(by:) would give the last.
    order.append(rest.reduce(rest[0]) { distance($1) > distance($0) ? $1 : $0 })
  }
  return order.map(UInt64.init)
}
