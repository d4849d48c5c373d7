/// How a server stops. One machine decides it for all that may ask at once (two signals, an admin command, the program
/// itself, the last room that closes, the deadline), so that every step is taken once and never back.
///
/// | state | rooms | who may come | left by |
/// | --- | --- | --- | --- |
/// | serving | open and close as ever | everyone | `signalled`, `asked`, `failed` |
/// | lameDuck | go on until they are done, no new ones | resumes, newcomers to rooms that need players | `clock` at the deadline, `roomsGone`, a further `signalled`, `asked` for an end at once, `failed` |
/// | draining | say goodbye | nobody | `signalled`, `failed` |
/// | ended | are closed | nobody | - |
///
/// Events in, one action out: the shell tells its loops and decides nothing.
package struct ServerLifecycle: Equatable, Sendable {
  package enum State: Equatable, Sendable {
    case serving
    /// `isSignalled`: a signal has asked for it, or for as much; the next one ends it.
    case lameDuck(LameDuck, isSignalled: Bool)
    case draining
    case ended
  }

  /// How soon the server is to stop.
  package enum Order: Equatable, Sendable {
    /// Say goodbye to everyone now.
    case atOnce
    /// Let rooms go on for so long at most.
    case within(nanoseconds: UInt64)
  }

  package enum Event: Equatable, Sendable {
    /// A signal; the order is what the configuration says of the first one.
    case signalled(Order, now: Instant)
    /// The program or an admin command. Asking twice is no more than asking once.
    case asked(Order, now: Instant)
    /// Time has passed.
    case clock(now: Instant)
    /// No room is open, and no player on the way to one.
    case roomsGone
    /// The server could not start.
    case failed
  }

  package enum Action: Equatable, Sendable {
    case none
    /// Tell rooms; the deadline may be nearer than what they were told before, never further.
    case letRoomsEnd(LameDuck)
    /// Say goodbye to everyone.
    case drain
    /// End all that is left, now.
    case stop
  }

  package private(set) var state = State.serving

  package init() {}

  package mutating func handle(_ event: Event) -> Action {
    switch (state, event) {
    case (.serving, .signalled(let order, let now)): return begin(order, now, isSignalled: true)
    case (.serving, .asked(let order, let now)): return begin(order, now, isSignalled: false)
    case (.lameDuck(let present, false), .signalled(let order, let now)):
      // An admin command has begun it, then the supervisor sends its signal: together they are one wish.
      return go(on: present, order, now, isSignalled: true)
    case (.lameDuck(_, true), .signalled): return drain()
    case (.lameDuck(let present, let isSignalled), .asked(let order, let now)):
      return go(on: present, order, now, isSignalled: isSignalled)
    case (.lameDuck(let present, _), .clock(let now)): return now >= present.until ? drain() : .none
    case (.lameDuck, .roomsGone): return drain()
    case (.draining, .signalled), (.serving, .failed), (.lameDuck, .failed), (.draining, .failed):
      state = .ended
      return .stop
    case (.serving, .clock), (.serving, .roomsGone): return .none
    case (.draining, .asked), (.draining, .clock), (.draining, .roomsGone), (.ended, _): return .none
    }
  }

  private mutating func begin(_ order: Order, _ now: Instant, isSignalled: Bool) -> Action {
    guard let lameDuck = LameDuck(order, now: now) else { return drain() }
    state = .lameDuck(lameDuck, isSignalled: isSignalled)
    return .letRoomsEnd(lameDuck)
  }

  private mutating func go(on present: LameDuck, _ order: Order, _ now: Instant, isSignalled: Bool) -> Action {
    guard let other = LameDuck(order, now: now) else { return drain() }
    let sooner = other.until < present.until ? other : present
    state = .lameDuck(sooner, isSignalled: isSignalled)
    return .letRoomsEnd(sooner)
  }

  private mutating func drain() -> Action {
    state = .draining
    return .drain
  }
}

/// The time that rooms have to finish, after the server was asked to stop.
package struct LameDuck: Equatable, Sendable {
  /// When the last room closes, done or not.
  package let until: Instant
  /// Rooms that are not done close one after the other from here on: all their players at once would be a burst for
  /// the servers that they go to. Games are told this moment, so that none closes before it was told.
  package let closesFrom: Instant

  /// The longest time over which rooms that are not done are closed; it is a quarter of the whole, at most.
  package static let longestClosingNanoseconds: UInt64 = 10_000_000_000
  /// The longest whole.
  package static let longestNanoseconds: UInt64 = 24 * 3600 * 1_000_000_000

  package init(nanoseconds: UInt64, from now: Instant) {
    let whole = min(nanoseconds, Self.longestNanoseconds)
    let closing = min(whole / 4, Self.longestClosingNanoseconds)
    until = now.advanced(byNanoseconds: whole)
    closesFrom = now.advanced(byNanoseconds: whole - closing)
  }

  /// Until the deadline, rounded up.
  package func secondsLeft(at now: Instant) -> UInt64 {
    (until.nanoseconds(since: now) + 999_999_999) / 1_000_000_000
  }

  fileprivate init?(_ order: ServerLifecycle.Order, now: Instant) {
    guard case .within(let nanoseconds) = order else { return nil }
    self.init(nanoseconds: nanoseconds, from: now)
  }

  /// How many players are to be told goodbye now, of those of rooms that go on: over the closing time as many in each
  /// step, so that nobody is left at the end. Rooms that are larger than that wait for their share.
  ///
  /// - Parameters:
  ///   - players: of rooms that go on.
  ///   - told: how many were told, or are about to be.
  ///   - stepNanoseconds: until this is asked again.
  package func dueGoodbyes(of players: Int, told: Int, now: Instant, stepNanoseconds: UInt64) -> Int {
    guard now >= closesFrom else { return 0 }
    guard until.nanoseconds(since: now) > stepNanoseconds else { return players }
    let passed = now.nanoseconds(since: closesFrom) + stepNanoseconds
    let due = UInt64(players + told) * passed / until.nanoseconds(since: closesFrom)
    return min(players, max(0, Int(due) - told))
  }

  /// When a client should ask again that was refused a place in a room: another server may have its address by then.
  package static let retryMilliseconds: UInt32 = 1000
}
