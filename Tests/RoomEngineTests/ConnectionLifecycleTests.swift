import RoomTestKit
import Testing
import WireFormat

@testable import RoomEngine

@Suite struct ConnectionLifecycleTests {
  typealias Lifecycle = ConnectionLifecycle

  private static let start = Instant(nanoseconds: 0)
  private static let patience = 5 * Lifecycle.lingerNanoseconds / 2
  private static let late = start.advanced(byNanoseconds: Lifecycle.lingerNanoseconds + 1)

  private func parted(_ reason: CloseReason, canTell: Bool = true) -> (Lifecycle, Lifecycle.Action) {
    var lifecycle = Lifecycle()
    let action = lifecycle.handle(.ended(reason, canTell: canTell))
    return (lifecycle, action)
  }

  /// Told goodbye, and its stream ends in order.
  private func told(_ reason: CloseReason) -> Lifecycle {
    var (lifecycle, _) = parted(reason)
    _ = lifecycle.handle(.farewell(.said, patience: Self.patience, now: Self.start))
    return lifecycle
  }

  // MARK: One end, step by step

  @Test(arguments: CloseReason.allCases)
  func everyReasonIsToldToThoseWhoCanHearIt(reason: CloseReason) {
    let (_, action) = parted(reason)
    guard case .part(let departure) = action else { return #expect(action == .none, "it did not end") }
    #expect(departure.reason == reason)
    #expect(departure.isTold == reason.isTold)
    let (_, inAMessage) = parted(reason, canTell: false)
    guard case .part(let silent) = inAMessage else { return #expect(inAMessage == .none, "it did not end") }
    #expect(!silent.isTold)
  }

  @Test(arguments: CloseReason.allCases)
  func whoMayComeBackKeepsItsSeat(reason: CloseReason) {
    var (lifecycle, _) = parted(reason)
    let action = lifecycle.handle(.farewell(.unsaid, patience: Self.patience, now: Self.start))
    guard case .letGo(_, let keepsSeat) = action else { return #expect(action == .none, "nothing was let go") }
    #expect(keepsSeat == (reason.retry != .never))
  }

  @Test func aPeerThatWasToldHasItsTimeToEnd() {
    var lifecycle = told(.kicked)
    #expect(lifecycle.handle(.looked(unsentBytes: 0, now: Self.start)) == .none)
    let deadline = Self.start.advanced(byNanoseconds: Lifecycle.lingerNanoseconds)
    #expect(lifecycle.handle(.looked(unsentBytes: 0, now: deadline)) == .none)
    #expect(lifecycle.handle(.looked(unsentBytes: 0, now: Self.late)) == .reset)
    #expect(lifecycle.handle(.looked(unsentBytes: 0, now: Self.late)) == .none, "it was reset twice")
    #expect(lifecycle.handle(.streamClosed) == .release(.admitted))
  }

  @Test func aPeerThatWasToldAndEndsIsClosed() {
    var lifecycle = told(.kicked)
    _ = lifecycle.handle(.looked(unsentBytes: 0, now: Self.start))
    #expect(lifecycle.handle(.peerEnded(unsentBytes: 0)) == .close)
    #expect(lifecycle.handle(.streamClosed) == .release(.admitted))
  }

  // MARK: What the peer has not acknowledged

  @Test(arguments: [true, false])
  func whatHasNotLeftIsKeptForTheStallDeadlineThenReset(peerHasEnded: Bool) {
    var lifecycle = told(.kicked)
    if peerHasEnded { #expect(lifecycle.handle(.peerEnded(unsentBytes: 9)) == .none, "closed with bytes unsent") }
    #expect(lifecycle.handle(.looked(unsentBytes: 9, now: Self.late)) == .none, "reset before the deadline")
    let deadline = Self.start.advanced(byNanoseconds: Self.patience)
    #expect(lifecycle.handle(.looked(unsentBytes: 9, now: deadline)) == .none)
    #expect(lifecycle.handle(.looked(unsentBytes: 9, now: deadline.advanced(byNanoseconds: 1))) == .reset)
  }

  @Test func aPeerThatTakesEverythingInTimeMayThenLinger() {
    var lifecycle = told(.kicked)
    let deadline = Self.start.advanced(byNanoseconds: Self.patience)
    #expect(lifecycle.handle(.looked(unsentBytes: 1, now: deadline)) == .none)
    // It took the last byte at the last moment: it still has the time to read it.
    #expect(lifecycle.handle(.looked(unsentBytes: 0, now: deadline)) == .none)
    let end = deadline.advanced(byNanoseconds: Lifecycle.lingerNanoseconds)
    #expect(lifecycle.handle(.looked(unsentBytes: 0, now: end)) == .none)
    #expect(lifecycle.handle(.peerEnded(unsentBytes: 0)) == .close)
  }

  @Test func aPeerThatHasEndedIsClosedOnceItTookEverything() {
    var (lifecycle, _) = parted(.peerClosed)
    #expect(
      lifecycle.handle(.farewell(.unsaid, patience: Self.patience, now: Self.start)) == .letGo(.flush, keepsSeat: true))
    #expect(lifecycle.handle(.looked(unsentBytes: 5, now: Self.start)) == .none)
    #expect(lifecycle.handle(.looked(unsentBytes: 0, now: Self.late)) == .close)
    #expect(lifecycle.handle(.streamClosed) == .release(.admitted))
  }

  @Test func aPeerThatHasEndedInTheMiddleOfAWriteIsReset() {
    var (lifecycle, _) = parted(.peerClosed, canTell: false)
    #expect(
      lifecycle.handle(.farewell(.unsaid, patience: Self.patience, now: Self.start)) == .letGo(.reset, keepsSeat: true))
  }

  /// However short a room's stall deadline is, a goodbye has the time to be read.
  @Test func patienceIsAtLeastTheLinger() {
    var (lifecycle, _) = parted(.kicked)
    _ = lifecycle.handle(.farewell(.said, patience: 1, now: Self.start))
    let linger = Self.start.advanced(byNanoseconds: Lifecycle.lingerNanoseconds)
    #expect(lifecycle.handle(.looked(unsentBytes: 9, now: linger)) == .none)
    #expect(lifecycle.handle(.looked(unsentBytes: 9, now: Self.late)) == .reset)
  }

  @Test func whoIsDisplacedIsResetOnlyWithBytesUnsent() {
    var flushing = told(.connectionLimit)
    #expect(flushing.handle(.displaced(unsentBytes: 3)) == .reset)
    #expect(flushing.handle(.displaced(unsentBytes: 3)) == .none)
    for fin in [0, 1] {
      var taken = told(.connectionLimit)
      #expect(taken.handle(.displaced(unsentBytes: fin)) == .closeUnawaited)
    }
    var lingering = told(.connectionLimit)
    _ = lingering.handle(.looked(unsentBytes: 0, now: Self.start))
    #expect(lingering.handle(.displaced(unsentBytes: 0)) == .closeUnawaited)
    var open = Lifecycle()
    #expect(open.handle(.displaced(unsentBytes: 0)) == .none)
    #expect(open.isOpen)
  }

  @Test func aPeerThatTookNoGoodbyeIsReset() {
    var (lifecycle, _) = parted(.slowConsumer)
    #expect(
      lifecycle.handle(.farewell(.unsaid, patience: Self.patience, now: Self.start)) == .letGo(.reset, keepsSeat: true))
    #expect(lifecycle.handle(.streamClosed) == .release(.admitted))
  }

  @Test(arguments: [CloseReason.peerReset, .writeFailed])
  func aPeerThatIsGoneIsResetWithoutAWord(reason: CloseReason) {
    var (lifecycle, _) = parted(reason)
    #expect(
      lifecycle.handle(.farewell(.unsaid, patience: Self.patience, now: Self.start)) == .letGo(.reset, keepsSeat: true))
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
    _ = lifecycle.handle(.farewell(.said, patience: Self.patience, now: Self.start))
    #expect(lifecycle.handle(.streamClosed) == .release(place))
  }

  // MARK: Whatever comes together

  private static let second: [Lifecycle.Event] =
    CloseReason.allCases.flatMap { [.ended($0, canTell: true), .ended($0, canTell: false)] }
    + [.handedOver, .looked(unsentBytes: 7, now: start)]

  /// Each of the ways to end first, each of them second, in every state: the second one changes nothing.
  @Test(arguments: CloseReason.allCases)
  func theFirstReasonIsTheOne(first: CloseReason) {
    for second in Self.second {
      var (parting, _) = parted(first)
      #expect(parting.handle(second) == .none)
      #expect(parting.state == .parting(first, isWhole: true))
      for farewell in [Lifecycle.Farewell.said, .unsaid] {
        var (ended, _) = parted(first)
        _ = ended.handle(.farewell(farewell, patience: Self.patience, now: Self.start))
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
        let action = lifecycle.handle(event(random.below(10), &random, now: now))
        switch action {
        case .none: break
        case .part: parts += 1
        case .letGo: steps.append("letGo")
        case .close, .closeUnawaited, .reset: steps.append("close")
        case .release: steps.append("release")
        }
      }
      // The world goes on until the end: the stream closes once it was told to.
      if case .open = lifecycle.state { _ = lifecycle.handle(.ended(.idle, canTell: false)) }
      if case .parting = lifecycle.state {
        if case .letGo = lifecycle.handle(.farewell(.unsaid, patience: Self.patience, now: Self.late)) {
          steps.append("letGo")
        }
      }
      if case .release = lifecycle.handle(.streamClosed) { steps.append("release") }
      #expect(parts <= 1)
      #expect(steps == ["letGo", "release"] || steps == ["letGo", "close", "release"], "\(steps)")
    }
  }

  private func event(_ choice: Int, _ random: inout SplitMix64, now: Instant) -> Lifecycle.Event {
    let reason = CloseReason.allCases[random.below(CloseReason.allCases.count)]
    return switch choice {
    case 0: .ended(reason, canTell: true)
    case 1: .ended(reason, canTell: false)
    case 2: .farewell(.said, patience: Self.patience, now: now)
    case 3: .farewell(.unsaid, patience: Self.patience, now: now)
    case 4: .handedOver
    case 5: .streamClosed
    case 6: .peerEnded(unsentBytes: random.below(2))
    case 7: .displaced(unsentBytes: random.below(2))
    default: .looked(unsentBytes: random.below(2), now: now)
    }
  }
}
