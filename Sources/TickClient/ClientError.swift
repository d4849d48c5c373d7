/// Why a call on a ``TickClient`` or a ``Room`` failed.
public enum ClientError: Error, Sendable, CustomStringConvertible {
  /// No connection could be made; the text names the address and the system's reason.
  case unreachable(String)
  /// The server ended the connection and said why.
  case goodbye(ServerGoodbye)
  /// The join was refused; the connection stays open and may join another room.
  case joinRefused(JoinRefusedReason)
  /// The connection was lost before the answer: whether the call was carried out is unknown.
  case connectionLost
  /// The room answered a call with another status than `ok`.
  case callFailed(ReplyFailure)
  /// The room is over, or the client closed: nothing can be sent any more.
  case ended(RoomEnd)
  /// The call is not possible or its arguments are not allowed; the text says what is. Nothing was sent.
  case notAllowed(String)
  /// The server broke the protocol; the text says how.
  case protocolFault(String)

  /// One line for a log.
  public var description: String {
    switch self {
    case .unreachable(let text): "the server can't be reached: \(text)"
    case .goodbye(let goodbye): "the server ended the connection: \(goodbye)"
    case .joinRefused(let refused): "the join was refused: \(refused)"
    case .connectionLost: "the connection was lost before the answer came"
    case .callFailed(let failure): "the call failed: \(failure)"
    case .ended(let end): "the room is over: \(end)"
    case .notAllowed(let text): text
    case .protocolFault(let text): "the server broke the protocol: \(text)"
    }
  }
}

/// The server's last word on a connection.
public struct ServerGoodbye: Equatable, Sendable, CustomStringConvertible {
  /// The code as sent; ``reason`` is nil for those of a newer server.
  public let code: UInt16
  /// When to come back at the earliest, if the server said so.
  public let retryAfter: Duration?
  /// The server's words.
  public let text: String

  /// The reason, if this client knows it.
  public var reason: CloseReason? { CloseReason(rawValue: code) }

  /// `kicked (135): the admin said so`.
  public var description: String { "\(reason?.name ?? "reason") (\(code)): \(text)" }

  init(_ goodbye: Goodbye) {
    code = goodbye.code
    retryAfter = goodbye.retryAfterMilliseconds.map { .milliseconds(Int64($0)) }
    text = goodbye.text
  }
}

/// Why a join was refused.
public struct JoinRefusedReason: Equatable, Sendable, CustomStringConvertible {
  /// The code as sent; ``refusal`` is nil for those of a newer server.
  public let code: UInt16
  /// When to ask again at the earliest, if the server said so.
  public let retryAfter: Duration?
  /// The server's words.
  public let text: String

  /// The reason, if this client knows it.
  public var refusal: JoinRefusal? { JoinRefusal(rawValue: code) }

  /// `roomFull (4): 100 of 100 seats are taken`.
  public var description: String {
    "\(refusal.map { String(describing: $0) } ?? "refusal") (\(code)): \(text)"
  }

  init(_ refused: JoinRefused) {
    code = refused.code
    retryAfter = refused.retryAfterMilliseconds.map { .milliseconds(Int64($0)) }
    text = refused.text
  }
}

/// A reply that is not the answer.
public struct ReplyFailure: Equatable, Sendable, CustomStringConvertible {
  /// The code as sent; ``status`` is nil for those of a newer server.
  public let code: UInt16
  /// What came with it: the game's text when it rejected the call.
  public let payload: [UInt8]

  /// The status, if this client knows it.
  public var status: ReplyStatus? { ReplyStatus(rawValue: code) }

  /// `rejected (2): not your turn`.
  public var description: String {
    "\(status.map { String(describing: $0) } ?? "status") (\(code)): \(String(decoding: payload, as: UTF8.self))"
  }
}

/// Why a room is over for this client.
public enum RoomEnd: Equatable, Sendable, CustomStringConvertible {
  /// ``Room/leave()`` was called.
  case left
  /// ``TickClient/close()`` was called, or the client was let go.
  case closed
  /// The server ended it, and the seat with it.
  case goodbye(ServerGoodbye)
  /// The server broke the protocol; the text says how.
  case protocolFault(String)
  /// That many attempts to reconnect failed.
  case unreachable(attempts: Int)
  /// ``Room/events`` was not read for so long that as many reliable notices as `limit` waited; one more would have been
  /// lost.
  case consumerTooSlow(limit: Int)

  /// One line for a log.
  public var description: String {
    switch self {
    case .left: "left"
    case .closed: "the client was closed"
    case .goodbye(let goodbye): "\(goodbye)"
    case .protocolFault(let text): "the server broke the protocol: \(text)"
    case .unreachable(let attempts): "\(attempts) attempts to reconnect failed"
    case .consumerTooSlow(let limit):
      "room.events was not read: \(limit) notices waited. Read it in a task of its own and do slow work elsewhere"
    }
  }
}
