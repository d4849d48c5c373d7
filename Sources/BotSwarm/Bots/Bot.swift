/// One client of the swarm, of whatever kind: what the runner needs of it. Confined to its loop.
///
/// The runner decides when; a bot decides what: moving bots play, other kinds may misbehave. A bot reports into the
/// measures of its loop.
protocol Bot: AnyObject {
  /// Opens the connection. Called once.
  func start()
  /// Its turn, `inputRate` times a second.
  /// - Parameter seconds: Time since its last turn, by the schedule.
  func pump(now: UInt64, seconds: Double)
  /// A second is over.
  /// - Returns: Frames received since the last call, or nil when it was not in a room all the time.
  func takeFrameCount() -> Int?
  /// No more events: what is under way may arrive.
  func quiet()
  /// Ends the conversation in order.
  func leave()
  /// Ends the connection, whatever its state. Idempotent.
  func close()
  var state: BotState { get }
}

/// Where a bot stands.
enum BotState {
  case waiting, connecting, joining, joined
  /// It has lost its connection and goes back to its seat.
  case away
  case leaving
  /// Its socket is closed.
  case ended
}
