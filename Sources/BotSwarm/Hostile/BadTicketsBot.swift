import ClientCore
import WireFormat

/// Resumes with a ticket of nobody, with one of a session that has left, and with one of a session that lives on
/// another connection: its own, so that no healthy bot is robbed.
final class BadTicketsBot: HostileBot {
  private enum Variant: Int, CaseIterable {
    case foreign, stale, stolen
  }

  private var variant: Variant { Variant.allCases[round % Variant.allCases.count] }
  private var victim: HostileLink?
  private var ticket: ResumePoint?
  private var wasSuperseded = false
  private var hasResumed = false

  override func begin() {
    (victim, ticket, wasSuperseded, hasResumed) = (nil, nil, false, false)
    forgetSeat()
    if variant == .foreign {
      let ticket = (0..<16).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      let point = ResumePoint(ticket: ticket, lastTick: Tick(0), lastEvent: 0, lastWhisper: 0)
      present(point, expecting: ["ticketUnknown"])
    } else {
      client(joining: surroundings.ownRoom(kind, index))
      victim = links.first
    }
  }

  override func joined(_ link: HostileLink) {
    guard link === victim, let core = link.core, let point = core.resumePoint else {
      hasResumed = true
      return settle()
    }
    switch variant {
    case .foreign: break
    case .stale:
      ticket = point
      // In a room, so it can't be refused.
      try? core.leave()
      link.flushCore()
    case .stolen: present(point, schema: core.seat?.schema, expecting: ["superseded"])
    }
  }

  override func left(_ link: HostileLink) {
    if let ticket { present(ticket, expecting: ["ticketUnknown", "ticketStale"]) }
  }

  private func present(_ point: ResumePoint, schema: Schema? = nil, expecting ends: Set<String>) {
    var point = point
    // Asks for a keyframe: the thief has none of the state.
    point.lastTick = Tick(0)
    act(expecting: ends, withinSeconds: Self.atOnceSeconds)
    open(HostileLink(of: self, core: newCore(credential: .resume(point), schema: schema)))
  }

  override func ended(_ link: HostileLink, _ name: String) {
    guard variant == .stolen, link === victim, name == "superseded" else {
      // Who has left is not the one that is watched.
      if variant == .stale, link === victim { return }
      return judge(name)
    }
    wasSuperseded = true
    settle()
  }

  /// One of two has the seat.
  private func settle() {
    guard variant == .stolen else { return judge("resumed") }
    if wasSuperseded, hasResumed { judge("superseded") }
  }
}
