package import WireFormat

/// Where the conversation stands.
package enum ClientPhase: Equatable, Sendable {
  /// No connection, and none was made yet.
  case idle
  /// Hello is sent, without a ticket.
  case greeting
  /// Hello is sent with a ticket.
  case resuming
  /// The ticket was taken; Joined must follow.
  case resumed
  /// Welcome, and in no room.
  case welcomed
  /// Join is sent.
  case joining
  case inRoom
  /// Leave is sent; the room's messages still come until Left.
  case leaving
  /// The connection is of no more use, for the reason given: close it, then ask
  /// ``ClientCore/connectionEnded(jitter:_:)``.
  case finished(ConnectionLoss)
  /// No connection; ``ClientCore/connect(now:)`` makes the next Hello.
  case lost
  /// Nothing more will happen.
  case ended(ClientEnd)

  /// For faults and logs.
  package var name: String {
    switch self {
    case .idle: "not connected"
    case .greeting: "waiting for Welcome"
    case .resuming: "waiting for Welcome of a resume"
    case .resumed: "waiting for Joined of a resume"
    case .welcomed: "in no room"
    case .joining: "joining"
    case .inRoom: "in a room"
    case .leaving: "leaving"
    case .finished: "closing"
    case .lost: "reconnecting"
    case .ended: "ended"
    }
  }

  /// Whether the room's messages belong here.
  var hasRoom: Bool { self == .inRoom || self == .leaving }
}

/// Why a connection is of no more use.
package enum ConnectionLoss: Equatable, Sendable {
  /// The stream ended, or could not be made.
  case disconnected
  /// The server was silent for too long.
  case silent
  case goodbye(Goodbye)
  case fault(ClientFault)
}

/// What comes after a lost connection.
package enum Outlook: Equatable, Sendable {
  /// Connect again after the delay: the seat is still ours.
  case resume(afterMilliseconds: UInt64)
  /// Connect again after the delay: a new session, in no room.
  case fresh(afterMilliseconds: UInt64)
  case over(ClientEnd)
}

/// Why nothing more will happen.
package enum ClientEnd: Equatable, Sendable {
  /// The client ended it.
  case closed
  /// The server ended it and said not to come back.
  case goodbye(Goodbye)
  /// The server broke the protocol.
  case fault(ClientFault)
  /// That many attempts to connect failed in a row.
  case unreachable(attempts: Int)
}
