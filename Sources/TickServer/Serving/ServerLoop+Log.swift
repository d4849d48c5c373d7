import EventLoop
import Logging
import RoomEngine
import WireFormat

/// What the loop tells the log about its connections. However many end at once, the log gets a few records a second.
extension ServerLoop {
  /// Ends of one reason, logged at one level.
  struct EndKind: Hashable {
    let reason: CloseReason
    let level: Logger.Level
  }

  /// Something of the system that fails again and again; all three come from closed lists.
  struct FaultKind: Hashable {
    let message: String
    let error: String
    let level: Logger.Level
  }

  /// Ends of a reason that get records of their own within a second.
  static let endsLoggedPerSecond = 10
  static let faultWindowNanoseconds: UInt64 = 60_000_000_000

  /// Members at `info`, so that a complaint finds its connection; others at `debug`, unless the server is at fault.
  func log(_ connection: Connection, _ reason: CloseReason, _ text: String) {
    let level: Logger.Level =
      switch reason {
      case .slowConsumer, .internalError, .overBudget: .info
      default: connection.host == nil ? .debug : .info
      }
    guard logger.logLevel <= level else { return }
    let isSingle = endLog.tells(
      EndKind(reason: reason, level: level), now: now, name: shortName(of: connection),
      group: connection.host?.room.name)
    logger.log(
      level: isSingle ? level : .trace, "connection ended",
      metadata: ["reason": "\(reason.name)", "text": "\(text)"].merging(identity(of: connection)) { one, _ in one })
  }

  func logJoin(_ connection: Connection) {
    logger.debug("joined", metadata: identity(of: connection))
  }

  func logRefusal(_ connection: Connection, _ refused: JoinRefused, room: String) {
    logger.debug(
      "join refused",
      metadata: [
        "reason": "\(JoinRefusal(rawValue: refused.code).map { "\($0)" } ?? "\(refused.code)")", "wanted": "\(room)",
      ].merging(identity(of: connection)) { one, _ in one })
  }

  /// The first is told at once, those that follow as a count, once a minute.
  func logFault(_ message: String, _ error: LoopError, level: Logger.Level = .error) {
    logFault(message, error.name, "\(error)", level)
  }

  /// - Parameters:
  ///   - name: what is told of those that follow; of a closed list.
  ///   - text: what is told of the first.
  func logFault(_ message: String, _ name: String, _ text: String, _ level: Logger.Level = .error) {
    guard faultLog.tells(FaultKind(message: message, error: name, level: level), now: now) else { return }
    logger.log(level: level, "\(message)", metadata: ["error": "\(text)"])
  }

  /// Called by the sweep; `all`: at the end, when no other sweep comes.
  func logSums(now: Instant, all: Bool = false) {
    for (kind, sum) in endLog.takeDue(now: now, all: all) {
      logger.log(
        level: kind.level, "connections ended",
        metadata: [
          "count": "\(sum.count)", "reason": "\(kind.reason.name)",
          "rooms": .dictionary(Dictionary(uniqueKeysWithValues: sum.groups.map { ($0.name, "\($0.count)") })),
          "first": .array(sum.names.map { "\($0)" }),
        ])
    }
    for (kind, sum) in faultLog.takeDue(now: now, all: all) {
      logger.log(
        level: kind.level, "\(kind.message)",
        metadata: ["error": "\(kind.error)", "count": "\(sum.count)", "within": "1m"])
    }
  }

  /// What a connection is known by; what it does not have yet is left out.
  private func identity(of connection: Connection) -> Logger.Metadata {
    var identity: Logger.Metadata = ["peer": "\(connection.stream.peerAddress?.description ?? "gone")"]
    if let session = connection.session { identity["session"] = "\(session.id)" }
    if let seat = connection.delivery.seat { identity["player"] = "\(seat.player.rawValue)" }
    if let room = connection.host?.room {
      identity["room"] = "\(room.name)"
      identity["kind"] = "\(room.kind.name)"
    }
    return identity
  }

  private func shortName(of connection: Connection) -> String {
    var words = [connection.stream.peerAddress?.description ?? "gone"]
    if let session = connection.session { words.append("session \(session.id)") }
    if let seat = connection.delivery.seat { words.append("player \(seat.player.rawValue)") }
    return words.joined(separator: " ")
  }
}
