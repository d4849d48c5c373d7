/// Why a connection ended: the one closed list. `docs/protocol.md` section 9 tells what a client is to do.
public enum CloseReason: UInt16, Sendable, CaseIterable {
  // Told to the client in a Goodbye.
  case draining = 1
  case slowConsumer = 2
  case idle = 3
  case overBudget = 4
  case internalError = 5
  case rateLimited = 6
  case handshakeTimeout = 7
  case ticketUnknown = 64
  case ticketStale = 65
  case roomClosed = 66
  case connectionLimit = 68
  case badMagic = 128
  case versionUnsupported = 129
  case malformed = 130
  case messageTooLarge = 131
  case unexpectedMessage = 132
  case unknownMessage = 133
  case unauthorized = 134
  case kicked = 135
  case superseded = 136
  case invalidInput = 137
  // The other side is gone: counted and logged, never sent.
  case peerClosed = 256
  case peerReset = 257
  case writeFailed = 258

  /// What a client should do after it was told this reason.
  public enum Retry: String, Sendable {
    /// Reconnect, with the ticket when there is a seat to go back to.
    case resume
    /// Reconnect as a new session.
    case fresh
    /// Do not reconnect: it would end the same way. Only for what an honest client cannot do, on any network.
    case never
  }

  /// What a client should do; the range of the code says it.
  public var retry: Retry { Self.retry(ofCode: rawValue) }

  /// The retry rule of any code, known or not: a newer server may send reasons this client does not know.
  public static func retry(ofCode code: UInt16) -> Retry {
    switch code {
    case 1...63, 256...: .resume
    case 64...127: .fresh
    default: .never
    }
  }

  /// True when the reason travels in a Goodbye; false when there is nobody left to tell.
  public var isTold: Bool { rawValue < 256 }

  /// The name in logs, metrics and documents.
  public var name: String { String(describing: self) }
}

/// Why a Join was refused; the connection stays open and may join another room.
public enum JoinRefusal: UInt16, Sendable, CaseIterable {
  /// No room kind of that name is configured.
  case unknownRoomKind = 1
  /// The room name is empty, too long or has a character that is not allowed.
  case invalidRoomName = 2
  /// The client asked for its own schema and the room's differs.
  case schemaMismatch = 3
  /// All seats are taken.
  case roomFull = 4
  /// The game locked the room.
  case roomLocked = 5
  /// No further room can be created.
  case roomLimit = 6
  /// The room exists with another kind.
  case roomKindMismatch = 7
  /// The game said no; the text says why.
  case rejected = 8
  /// The server is shutting down.
  case draining = 9
  /// The server is short of memory.
  case overBudget = 10
}

/// How a call ended.
public enum ReplyStatus: UInt16, Sendable, CaseIterable {
  /// The payload is the answer.
  case ok = 0
  /// The room knows no such method.
  case unknownMethod = 1
  /// The game said no; the payload is its text.
  case rejected = 2
  /// Too many calls without an answer.
  case tooManyCalls = 3
  /// The payload does not suit the method.
  case payloadInvalid = 4
}
