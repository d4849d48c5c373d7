import BotSwarm
import EventLoop

/// The crowd of the broadcast blow-up: each client sends updates at a steady rate, some stop reading on the way.
/// Confined to its loop.
final class Crowd {
  struct Plan {
    var clients = 100
    var updatesPerSecond = 30
    var seconds = 40
    var stalling = 10
    var stallAtSecond = 5
    var pausing = 5
    var pauseAtSecond = 10
    var pauseMilliseconds = 1_000
  }

  /// All clients are in: seconds count from here.
  struct Began: Encodable {
    let clients: Int
  }

  /// What a second was like, for the healthy clients unless said otherwise.
  struct Second: Encodable {
    let second: Int
    /// Messages, bytes and updates that arrived. Updates of those who stall do not count: a peer that never reads may
    /// in the end not be heard either.
    let messages: Int
    let bytes: Int
    let updates: Int
    /// Updates that a client heard of each other: of all clients the mean, and of the one that heard least.
    let meanRate: Double
    let slowestRate: Double
    /// From the sender's write to the receiver's read.
    let p50Microseconds: UInt64?
    let p99Microseconds: UInt64?
    let maxMicroseconds: UInt64?
    /// Of all clients.
    let sent: Int
    let heldBack: Int
    let openHealthy: Int
    let openPausing: Int
    let openStalling: Int
  }

  /// Turns are spread over the interval of an update, so that no server gets all of them in one burst.
  private static let slots = 10
  private static let readySeconds: UInt64 = 10

  private let loop: Loop
  private let plan: Plan
  private let measures: Measures
  private let members: [Member]
  private var turnTimer: TickTimer?
  private var waiting: Waiting?
  private var slot = 0
  private var second = 0
  private var secondBegan: UInt64 = 0
  private(set) var failure: RunFailure?

  init(loop: Loop, plan: Plan, server: ServerOptions) throws(LoopError) {
    self.loop = loop
    self.plan = plan
    let measures = Measures(clients: plan.clients, counted: plan.stalling..<plan.clients)
    self.measures = measures
    let company = TickDialect.Company()
    members = (0..<plan.clients).map { index in
      let role: Member.Role =
        index < plan.stalling ? .stalling : index < plan.stalling + plan.pausing ? .pausing : .healthy
      let dialect = server.makeDialect(index: index, company: company, keepsState: true)
      return Member(index: index, role: role, dialect: dialect, measures: measures)
    }
    waiting = try Waiting(loop: loop) { [unowned self] in
      fail("\(members.count { $0.isReady }) of \(members.count) clients got in within \(Self.readySeconds) s")
    }
    turnTimer = try TickTimer(loop: loop) { [unowned self] expirations, _ in turn(expirations) }
    for member in members {
      member.connect(on: loop, port: server.port, receiveBufferBytes: server.receiveBufferBytes)
    }
    waiting?.until(timeoutSeconds: Self.readySeconds) { [members] in
      members.allSatisfy(\.isReady)
    } then: { [unowned self] in
      begin()
    }
  }

  private func begin() {
    emit(Began(clients: members.count))
    measures.startSecond()
    secondBegan = Measures.now()
    let period = 1_000_000_000 / UInt64(plan.updatesPerSecond * Self.slots)
    turnTimer?.arm(at: Loop.clock(), periodNanoseconds: period)
  }

  private func turn(_ expirations: UInt64) {
    // Turns that were missed are not made up for: nobody sends faster than the rate.
    for _ in 0..<min(Int(expirations), Self.slots) {
      for index in stride(from: slot, to: members.count, by: Self.slots) { members[index].sendUpdate() }
      slot = (slot + 1) % Self.slots
    }
    if Measures.now() - secondBegan >= 1_000_000 { endSecond() }
  }

  private func endSecond() {
    second += 1
    let now = Measures.now()
    emit(summary(seconds: Double(now - secondBegan) / 1_000_000))
    measures.startSecond()
    secondBegan = now
    if second == plan.stallAtSecond { for member in members where member.role == .stalling { member.stopReading() } }
    if second == plan.pauseAtSecond { pause() }
    // Who does not read may learn only after minutes that the server is gone.
    let isDeserted = members.allSatisfy { $0.hasEnded || $0.role == .stalling }
    if second >= plan.seconds || isDeserted { finish() }
  }

  private func pause() {
    for member in members where member.role == .pausing { member.stopReading() }
    waiting?.after(milliseconds: UInt64(plan.pauseMilliseconds)) { [members] in
      for member in members where member.role == .pausing { member.resumeReading() }
    }
  }

  private func summary(seconds: Double) -> Second {
    let others = Double(max(1, plan.clients - plan.stalling - 1))
    var rates: [Double] = []
    for member in members {
      let rate = Double(member.takeUpdates()) / others / seconds
      if member.role == .healthy { rates.append(rate) }
    }
    let latency = measures.latency.summary
    func open(_ role: Member.Role) -> Int { members.count { $0.role == role && $0.isOpen } }
    return Second(
      second: second, messages: measures.messages, bytes: measures.bytes, updates: measures.updates,
      meanRate: rates.reduce(0, +) / Double(max(1, rates.count)), slowestRate: rates.min() ?? 0,
      p50Microseconds: latency?.p50Microseconds, p99Microseconds: latency?.p99Microseconds,
      maxMicroseconds: latency?.maxMicroseconds, sent: measures.sent, heldBack: measures.heldBack,
      openHealthy: open(.healthy), openPausing: open(.pausing), openStalling: open(.stalling))
  }

  private func fail(_ text: String) {
    failure = RunFailure(description: text)
    finish()
  }

  private func finish() {
    for member in members { member.close() }
    loop.stop()
  }
}
