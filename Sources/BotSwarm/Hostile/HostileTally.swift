/// What the bots of one behaviour did and how they were ended. Summed over bots, and over loops.
package struct HostileTally: Hashable, Sendable {
  /// Times that a bot began anew.
  package var rounds = 0
  /// Times that a bot got so far that it could misbehave.
  package var acted = 0
  /// Ends that were right, by name.
  package var ends: [String: Int] = [:]
  /// Turned away before it could misbehave: a full room, a full server.
  package var refused: [String: Int] = [:]
  /// Ends that were wrong: another reason than the behaviour deserves, or an end that it did not deserve.
  package var wrong: [String: Int] = [:]
  /// Times that the server had not ended it when its deadline was over.
  package var survived = 0
  /// The longest that an end took, in microseconds from the moment that it was due to begin.
  package var slowestEndMicroseconds: UInt64 = 0
  /// Resumed reading and was found equal to a healthy bot of its room, with every reliable event.
  package var converged = 0
  /// Of those, with a keyframe in place of the frames that the log no longer had.
  package var keyframes = 0
  /// Reliable events compared with those of the healthy bot.
  package var eventsCompared = 0
  package var hops = 0
  package var cycles = 0
  /// The first failures, and what could not be done here, in words.
  package var notes: [String] = []

  package init() {}

  package var endCount: Int { ends.values.reduce(0, +) }
  package var wrongCount: Int { wrong.values.reduce(0, +) }
  package var refusedCount: Int { refused.values.reduce(0, +) }

  static let mostNotes = 5

  mutating func note(_ text: String) {
    if notes.count < Self.mostNotes, !notes.contains(text) { notes.append(text) }
  }
}

/// All hostile bots at one moment.
package struct HostileStatus: Hashable, Sendable {
  /// With an open connection.
  package var alive = 0
  package var tallies: [HostileKind: HostileTally] = [:]
  /// Hops and cycles still to be made, where a number was asked for.
  package var workLeft = 0

  package init() {}

  /// Right ends by reason, over all behaviours.
  package var ends: [String: Int] {
    tallies.values.reduce(into: [:]) { sum, tally in sum.merge(tally.ends, uniquingKeysWith: +) }
  }

  /// Survivors and wrong ends.
  package var failures: Int { tallies.values.reduce(0) { $0 + $1.survived + $1.wrongCount } }
}
