import RoomTestKit
import Testing
import WireFormat

@testable import RoomEngine

@Suite struct ConnectionLifecycleTests {
  typealias Lifecycle = ConnectionLifecycle

  private static let start = Instant(nanoseconds: 0)
  private static let late = start.advanced(byNanoseconds: Lifecycle.lingerNanoseconds + 1)

  private func parted(_ reason: CloseReason, canTell: Bool = true) -> (Lifecycle, Lifecycle.Action) {
    var lifecycle = Lifecycle()
    let action = lifecycle.handle(.ended(reason, canTell: canTell))
    return (lifecycle, action)
  }

  // MARK: One end, step by step

  @Test(arguments: CloseReason.allCases)
  func everyReasonIsToldToThoseWhoCanHearIt(reason: CloseReason) {
    let (_, action) = parted(reason)
    guard case .part(let departure) = action else { return #expect(action == .none, "it did not end") }
    #expect(departure.reason == reason)
    #expect(departure.isTold == reason.isTold)
    // Who comes back at once would only be turned away again.
    let passes: Set<CloseReason> = [.draining, .connectionLimit, .overBudget]
    #expect((departure.retryAfterMilliseconds != nil) == passes.contains(reason))
    let (_, inAMessage) = parted(reason, canTell: false)
    guard case .part(let silent) = inAMessage else { return #expect(inAMessage == .none, "it did not end") }
    #expect(!silent.isTold)
  }

  @Test(arguments: CloseReason.allCases)
  func whoMayComeBackKeepsItsSeat(reason: CloseReason) {
    var (lifecycle, _) = parted(reason)
    let action = lifecycle.handle(.farewell(.unsaid, now: Self.start))
    guard case .letGo(_, let keepsSeat) = action else { return #expect(action == .none, "nothing was let go") }
    #expect(keepsSeat == (reason.retry != .never))
  }

  @Test func aPeerThatWasToldHasItsTimeToEnd() {
    var (lifecycle, _) = parted(.kicked)
    #expect(lifecycle.handle(.farewell(.said, now: Self.start)) == .letGo(.flush, keepsSeat: false))
    let deadline = Self.start.advanced(byNanoseconds: Lifecycle.lingerNanoseconds)
    #expect(lifecycle.handle(.clock(now: deadline)) == .none)
    #expect(lifecycle.handle(.clock(now: Self.late)) == .reset)
    #expect(lifecycle.handle(.clock(now: Self.late)) == .none, "it was reset twice")
    #expect(lifecycle.handle(.streamClosed) == .release(.admitted))
  }

  @Test func aPeerThatTookNoGoodbyeIsReset() {
    var (lifecycle, _) = parted(.slowConsumer)
    #expect(lifecycle.handle(.farewell(.unsaid, now: Self.start)) == .letGo(.reset, keepsSeat: true))
    #expect(lifecycle.handle(.streamClosed) == .release(.admitted))
  }

  @Test func aPeerThatIsGoneIsClosedWithoutAWord() {
    var (lifecycle, _) = parted(.peerClosed)
    #expect(lifecycle.handle(.farewell(.unsaid, now: Self.start)) == .letGo(.close, keepsSeat: true))
    #expect(lifecycle.handle(.streamClosed) == .release(.admitted))
  }

  @Test func aConnectionThatMovesTakesItsPlaceAlong() {
    var lifecycle = Lifecycle()
    #expect(lifecycle.handle(.handedOver) == .letGo(.detached, keepsSeat: true))
    #expect(lifecycle.handle(.ended(.draining, canTell: true)) == .none)
    #expect(lifecycle.handle(.streamClosed) == .release(.none))
  }

  @Test(arguments: [Lifecycle.Place.admitted, .refused, .none])
  func thePlaceGivenBackIsTheOneTaken(place: Lifecycle.Place) {
    var lifecycle = Lifecycle(place: place)
    _ = lifecycle.handle(.ended(.connectionLimit, canTell: true))
    _ = lifecycle.handle(.farewell(.said, now: Self.start))
    #expect(lifecycle.handle(.streamClosed) == .release(place))
  }

  // MARK: Whatever comes together

  private static let second: [Lifecycle.Event] =
    CloseReason.allCases.flatMap { [.ended($0, canTell: true), .ended($0, canTell: false)] }
    + [.handedOver, .clock(now: start)]

  /// Each of the ways to end first, each of them second, in every state: the second one changes nothing.
  @Test(arguments: CloseReason.allCases)
  func theFirstReasonIsTheOne(first: CloseReason) {
    for second in Self.second {
      var (parting, _) = parted(first)
      #expect(parting.handle(second) == .none)
      #expect(parting.state == .parting(first))
      for farewell in [Lifecycle.Farewell.said, .unsaid] {
        var (ended, _) = parted(first)
        _ = ended.handle(.farewell(farewell, now: Self.start))
        let state = ended.state
        #expect(ended.handle(second) == .none)
        #expect(ended.state == state)
        _ = ended.handle(.streamClosed)
        #expect(ended.handle(second) == .none)
        #expect(ended.handle(.streamClosed) == .none, "it was released twice")
        #expect(ended.state == .gone(first))
      }
    }
  }

  /// Events in any order, as often as they like: what is held is let go once, in this order.
  @Test func anyInterleavingLetsGoOfEachThingOnce() {
    var random = SplitMix64(seed: 7)
    for _ in 0..<20_000 {
      var lifecycle = Lifecycle()
      var steps: [String] = []
      var parts = 0
      for step in 0..<12 {
        let now = Instant(nanoseconds: UInt64(step) * Lifecycle.lingerNanoseconds / 4)
        let action = lifecycle.handle(event(random.below(8), &random, now: now))
        switch action {
        case .none: break
        case .part: parts += 1
        case .letGo: steps.append("letGo")
        case .reset: steps.append("reset")
        case .release: steps.append("release")
        }
      }
      // The world goes on until the end: the stream closes once it was told to.
      if case .open = lifecycle.state { _ = lifecycle.handle(.ended(.idle, canTell: false)) }
      if case .parting = lifecycle.state {
        if case .letGo = lifecycle.handle(.farewell(.unsaid, now: Self.late)) { steps.append("letGo") }
      }
      if case .release = lifecycle.handle(.streamClosed) { steps.append("release") }
      #expect(parts <= 1)
      #expect(steps == ["letGo", "release"] || steps == ["letGo", "reset", "release"], "\(steps)")
    }
  }

  private func event(_ choice: Int, _ random: inout SplitMix64, now: Instant) -> Lifecycle.Event {
    let reason = CloseReason.allCases[random.below(CloseReason.allCases.count)]
    return switch choice {
    case 0: .ended(reason, canTell: true)
    case 1: .ended(reason, canTell: false)
    case 2: .farewell(.said, now: now)
    case 3: .farewell(.unsaid, now: now)
    case 4: .handedOver
    case 5: .streamClosed
    default: .clock(now: now)
    }
  }
}
