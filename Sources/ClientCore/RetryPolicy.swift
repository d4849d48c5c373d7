/// When to try again after a lost connection: exponentially later, spread by a random part so that the clients of a
/// restarted server do not all come at once.
package struct RetryPolicy: Equatable, Sendable {
  /// Upper bound of the first delay.
  package var firstMilliseconds: UInt64
  /// Upper bound of every delay.
  package var mostMilliseconds: UInt64
  /// Attempts in a row after which the client gives up. 12 last about a minute, as long as a default grace period.
  package var attempts: Int

  package init(firstMilliseconds: UInt64 = 250, mostMilliseconds: UInt64 = 8_000, attempts: Int = 12) {
    self.firstMilliseconds = firstMilliseconds
    self.mostMilliseconds = mostMilliseconds
    self.attempts = attempts
  }

  /// The delay before attempt `attempt` (from 0): between half and all of the bound, after what the server asked for.
  ///
  /// - Parameter jitter: 0 to 1, drawn anew for each attempt.
  package func delayMilliseconds(attempt: Int, retryAfterMilliseconds: UInt32?, jitter: Double) -> UInt64 {
    let doubled = firstMilliseconds << UInt64(min(max(attempt, 0), 20))
    let bound = Double(min(doubled, mostMilliseconds))
    let share = jitter >= 0 && jitter <= 1 ? jitter : 1
    return UInt64(retryAfterMilliseconds ?? 0) + UInt64(bound * (0.5 + share / 2))
  }
}
