/// A way to misbehave. The raw value is its name in `--hostile`, in reports and in `docs/botswarm.md`.
package enum HostileKind: String, CaseIterable, Sendable, Comparable {
  case stalled
  case neverReads = "never-reads"
  case readsSlowly = "reads-slowly"
  case zeroWindow = "zero-window"
  case halfOpen = "half-open"
  case halfClose = "half-close"
  case reset
  case silent
  case slowloris
  case garbage
  case oversize
  case inputFlood = "input-flood"
  case joinFlood = "join-flood"
  case hop
  case churn
  case badTickets = "bad-tickets"
  case eventFlood = "event-flood"
  case entityChurn = "entity-churn"
  case resumeLoop = "resume-loop"

  /// What it does, for people.
  package var summary: String {
    switch self {
    case .stalled: "joins and freezes: neither reads nor sends"
    case .neverReads: "joins and stops reading, but shows signs of life"
    case .readsSlowly: "joins and reads one byte a second"
    case .zeroWindow: "joins, stops reading until its window is full, then goes on"
    case .halfOpen: "vanishes without a FIN, and answers no packet any more"
    case .halfClose: "joins, stops reading, half-closes and keeps its socket"
    case .reset: "resets its connection, at every stage"
    case .silent: "connects and says nothing"
    case .slowloris: "sends its Hello one byte a second"
    case .garbage: "sends random bytes, at every stage"
    case .oversize: "announces a message over the limit"
    case .inputFlood: "sends the largest inputs as fast as it can"
    case .joinFlood: "joins and leaves rooms as fast as it can"
    case .hop: "joins and leaves rooms at an allowed rate, on one connection"
    case .churn: "connects and vanishes, over and over"
    case .badTickets: "resumes with a foreign, a stale or a stolen ticket"
    case .eventFlood: "raises the largest events at an allowed rate"
    case .entityChurn: "gives entities up and asks for others, at an allowed rate"
    case .resumeLoop: "loses its connection and resumes, over and over"
    }
  }

  package static func < (one: HostileKind, other: HostileKind) -> Bool { one.rank < other.rank }

  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
