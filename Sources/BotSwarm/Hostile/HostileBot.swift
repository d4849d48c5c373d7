import ClientCore
import EventLoop
import WireFormat

/// What all hostile bots have in common: they misbehave in rounds, one after the other for the whole run, expect to be
/// ended in certain ways by a certain time, and count what happened. Confined to its loop.
///
/// A subclass begins a round in ``begin()`` and calls ``act(expecting:withinSeconds:)`` when it misbehaves.
class HostileBot {
  /// Between two rounds: what a hostile client with some patience does, and what bounds the swarm's own work.
  static let pauseMicroseconds: UInt64 = 500_000
  /// The server looks at deadlines four times a second, and lets who was told goodbye take it for two; the rest is for
  /// a busy machine.
  static let marginSeconds = 5.0
  /// What follows at once needs no deadline of the server.
  static let atOnceSeconds = 3.0
  /// What a round of a flood comes to: the server takes no more than the rate allows, and ends nobody.
  static let slowed = "slowed"
  /// How long a flood goes on.
  static let floodSeconds = 5.0

  /// What may end a round, and by when.
  private struct Expectation {
    var ends: Set<String>
    var since: UInt64
    var by: UInt64?
  }

  let kind: HostileKind
  let index: Int
  let surroundings: HostileSurroundings
  var random: SplitMix64
  private(set) var round = 0
  private(set) var links: [HostileLink] = []
  private var expectation: Expectation?
  /// Kept from round to round, so that a bot with a seat comes back to it instead of taking another.
  private var core: ClientCore?
  private var nextRound: UInt64 = 0
  private(set) var isPaused = true

  init(_ kind: HostileKind, index: Int, _ surroundings: HostileSurroundings) {
    self.kind = kind
    self.index = index
    self.surroundings = surroundings
    random = SplitMix64(seed: surroundings.plan.seed &+ UInt64(index) &* 104_729)
  }

  // MARK: For subclasses

  func begin() {}
  func turn(now: UInt64) {}
  func connected(_ link: HostileLink) {}
  func welcomed(_ link: HostileLink) {}
  func joined(_ link: HostileLink) {}
  func left(_ link: HostileLink) {}
  func didRead(_ link: HostileLink, _ count: Int) {}
  func applied(_ link: HostileLink, _ frame: FrameContent) {}
  func heard(_ link: HostileLink, _ event: RoomEvent, _ payload: Span<UInt8>) {}

  func refused(_ link: HostileLink, _ reason: String) {
    tally { $0.refused[reason, default: 0] += 1 }
    endRound()
  }

  /// The server ended the connection, or never let it come about.
  func ended(_ link: HostileLink, _ name: String) { judge(name) }

  /// Time is up and the server has not ended the bot.
  func deadlinePassed() { survive() }

  /// Whether anything is left to do.
  var isDone: Bool { false }

  func found(_ link: HostileLink, _ fault: ClientFault) {
    tally { $0.note("\(kind.rawValue) \(index): \(fault)") }
  }

  // MARK: Steps

  func tally(_ change: (inout HostileTally) -> Void) { change(&surroundings.tallies[kind, default: HostileTally()]) }

  func link(receiveBufferBytes: Int? = nil) {
    open(HostileLink(of: self), receiveBufferBytes)
  }

  /// - Parameter room: Joined when the bot has no seat to go back to; nil stays without a room.
  func client(joining room: String?, keepsState: Bool = false, receiveBufferBytes: Int? = nil) {
    open(HostileLink(of: self, core: coreToConnect(keepsState), room: room), receiveBufferBytes)
  }

  func open(_ link: HostileLink, _ receiveBufferBytes: Int? = nil) {
    links.append(link)
    link.connect(receiveBufferBytes: receiveBufferBytes)
  }

  func newCore(credential: Credential? = nil, schema: Schema? = nil, keepsState: Bool = false) -> ClientCore {
    let own = surroundings.plan.token.map { Credential.token($0) } ?? .none
    return ClientCore(
      ClientConfiguration(credential: credential ?? own, schema: schema, keepsState: keepsState))
  }

  private func coreToConnect(_ keepsState: Bool) -> ClientCore {
    if let core, core.phase != .idle, case .resume = core.connectionEnded(jitter: 0, SilentDelegate.shared) {
      return core
    }
    let fresh = newCore(keepsState: keepsState)
    core = fresh
    return fresh
  }

  /// The next round begins with a new session.
  func forgetSeat() { core = nil }

  /// The misbehaviour begins.
  /// - Parameter seconds: By when the server must have ended it; nil for no such time.
  func act(expecting ends: Set<String>, withinSeconds seconds: Double? = nil) {
    tally { $0.acted += 1 }
    expect(ends, withinSeconds: seconds)
  }

  func expect(_ ends: Set<String>, withinSeconds seconds: Double?) {
    let now = LoopMeasures.now()
    expectation = Expectation(ends: ends, since: now, by: seconds.map { now + UInt64($0 * 1_000_000) })
  }

  /// Sets the deadline once it is known from when it counts.
  func expectWithin(seconds: Double, from now: UInt64) {
    guard var sooner = expectation else { return }
    sooner.by = min(sooner.by ?? .max, now + UInt64(seconds * 1_000_000))
    expectation = sooner
  }

  func judge(_ name: String) {
    if let expectation {
      let took = LoopMeasures.now() - expectation.since
      tally { tally in
        if expectation.ends.contains(name) {
          tally.ends[name, default: 0] += 1
          tally.slowestEndMicroseconds = max(tally.slowestEndMicroseconds, took)
        } else {
          tally.wrong[name, default: 0] += 1
          tally.note("\(kind.rawValue) \(index): ended by \(name) after \(Format.duration(microseconds: took))")
        }
      }
    } else {
      tally { $0.refused[name, default: 0] += 1 }
    }
    endRound()
  }

  func survive() {
    let waited = expectation.map { LoopMeasures.now() - $0.since }
    tally { tally in
      tally.survived += 1
      tally.note("\(kind.rawValue) \(index): still there after \(Format.duration(microseconds: waited))")
    }
    forgetSeat()
    endRound { $0.reset() }
  }

  /// Ends what is open from this side; the next round follows after a pause.
  func endRound(
    afterMicroseconds pause: UInt64 = HostileBot.pauseMicroseconds, _ close: (Stream) -> Void = { $0.close() }
  ) {
    for link in links where !link.hasEnded { link.letGo(close) }
    links = []
    expectation = nil
    nextRound = LoopMeasures.now() + pause
  }

  // MARK: The loop's calls

  func pump(now: UInt64) {
    guard !links.isEmpty else {
      guard !isPaused, !isDone, now >= nextRound else { return }
      round += 1
      tally { $0.rounds += 1 }
      return begin()
    }
    for link in links { link.watch(now: now) }
    if let by = expectation?.by, now > by { return deadlinePassed() }
    if !links.isEmpty { turn(now: now) }
  }

  func resume() {
    isPaused = false
    // Not all at once.
    nextRound = LoopMeasures.now() + random.next() % Self.pauseMicroseconds
  }

  func pause() {
    isPaused = true
    endRound()
  }

  var isAlive: Bool { links.contains { $0.isOpen } }
}

/// For what a core tells while it is taken down.
private final class SilentDelegate: ClientCoreDelegate, Sendable {
  static let shared = SilentDelegate()
}
