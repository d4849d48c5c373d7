import EventLoop

/// The cycles of the zombie: a publisher and an observer stay, and again and again subscribers come, stop reading until
/// any queue of theirs is full, and vanish. Confined to its loop.
final class Cycles {
  struct Plan {
    var cycles = 20
    var subscribers = 50
    var publicationsPerSecond = 800
    var publicationBytes = 512
    var stallMilliseconds = 1_000
    /// Between two cycles and before the first, so that what is released is released.
    var restMilliseconds = 300
    /// They half-close and keep their sockets until the run ends, instead of vanishing.
    var areHalfClosing = false
  }

  /// The publisher and the observer are in, and nobody else yet.
  struct Began: Encodable {
    let subscribers: Int
  }

  /// Told at the end of each cycle.
  struct Cycle: Encodable {
    let cycle: Int
    /// What the observer, who always reads, heard meanwhile.
    let publications: Int
  }

  private static let readySeconds: UInt64 = 10

  private let loop: Loop
  private let plan: Plan
  private let server: ServerOptions
  private let company = TickDialect.Company()
  private let measures = Measures(clients: 0, counted: 0..<0)
  private var publishTimer: TickTimer?
  private var waiting: Waiting?
  private let publisher: Member
  private let observer: Member
  private var subscribers: [Member] = []
  /// Those of earlier cycles that have half-closed.
  private var halfClosed: [Member] = []
  private var cycle = 0
  private var heardBefore = 0
  private(set) var failure: RunFailure?

  init(loop: Loop, plan: Plan, server: ServerOptions) throws(LoopError) {
    self.loop = loop
    self.plan = plan
    self.server = server
    publisher = Cycles.member(server, company, measures)
    observer = Cycles.member(server, company, measures)
    waiting = try Waiting(loop: loop) { [unowned self] in
      fail("cycle \(cycle): clients did not get in within \(Self.readySeconds) s")
    }
    publishTimer = try TickTimer(loop: loop) { [unowned self] expirations, _ in
      for _ in 0..<min(expirations, 16) { publisher.publish(bytes: self.plan.publicationBytes) }
    }
    connect([publisher, observer]) { [unowned self] in
      publishTimer?.arm(
        at: Loop.clock(), periodNanoseconds: 1_000_000_000 / UInt64(self.plan.publicationsPerSecond))
      rest { [unowned self] in
        emit(Began(subscribers: self.plan.subscribers))
        rest { [unowned self] in beginCycle() }
      }
    }
  }

  private static func member(
    _ server: ServerOptions, _ company: TickDialect.Company, _ measures: Measures
  ) -> Member {
    let dialect = server.makeDialect(index: 0, company: company, keepsState: false)
    return Member(index: 0, role: .healthy, dialect: dialect, measures: measures)
  }

  private func connect(_ members: [Member], then next: @escaping () -> Void) {
    for member in members {
      member.connect(on: loop, port: server.port, receiveBufferBytes: server.receiveBufferBytes)
    }
    waiting?.until(timeoutSeconds: Self.readySeconds, { members.allSatisfy(\.isReady) }, then: next)
  }

  private func beginCycle() {
    cycle += 1
    subscribers = (0..<plan.subscribers).map { _ in Cycles.member(server, company, measures) }
    connect(subscribers) { [unowned self] in
      for subscriber in subscribers { subscriber.stopReading() }
      waiting?.after(milliseconds: UInt64(plan.stallMilliseconds)) { [unowned self] in vanish() }
    }
  }

  private func vanish() {
    for subscriber in subscribers {
      if plan.areHalfClosing { subscriber.halfClose() } else { subscriber.close() }
    }
    if plan.areHalfClosing { halfClosed += subscribers }
    rest { [unowned self] in endCycle() }
  }

  private func rest(then next: @escaping () -> Void) {
    waiting?.after(milliseconds: UInt64(plan.restMilliseconds), then: next)
  }

  private func endCycle() {
    emit(Cycle(cycle: cycle, publications: observer.publications - heardBefore))
    heardBefore = observer.publications
    if !publisher.isOpen || !observer.isOpen { return fail("cycle \(cycle): the server dropped a client that reads") }
    if cycle < plan.cycles { beginCycle() } else { finish() }
  }

  private func fail(_ text: String) {
    failure = RunFailure(description: text)
    finish()
  }

  private func finish() {
    for member in subscribers + halfClosed + [publisher, observer] { member.close() }
    loop.stop()
  }
}
