package import WireFormat

/// How the server broke the protocol. ``isGap`` aside, each ends the session for good: coming back would end the same
/// way.
package enum ClientFault: Error, Equatable, Sendable, CustomStringConvertible {
  /// A message did not follow its layout.
  case malformed(type: UInt8, WireError)
  /// The stream could not be cut into messages.
  case framing(MessageAssembler.Failure)
  /// A required message type that version 1 does not define.
  case unknownMessage(type: UInt8)
  /// A message out of place.
  case unexpectedMessage(MessageType, phase: String)
  /// A frame that does not follow the last one; `last` is nil when no keyframe had come.
  case gap(last: Tick?, tick: Tick, span: UInt32)
  /// A keyframe older than the state at hand.
  case keyframeFromThePast(last: Tick, tick: Tick)
  /// Reliable events out of order, doubled or missing.
  case eventOrder(expected: UInt64, found: UInt64)
  /// A keyframe skipped reliable events and the next message did not bring exactly those.
  case eventsOwed(first: UInt64, last: UInt64)
  /// Whispers out of order, doubled or missing.
  case whisperOrder(expected: UInt64, found: UInt64)
  /// An event of the protocol that is not as the protocol says.
  case protocolEvent(code: UInt16)
  /// An acknowledged input that was never sent, or older than one acknowledged before.
  case inputAck(sequence: UInt32, last: UInt32, sent: UInt32)
  /// A reply without an open call.
  case reply(id: UInt32)
  /// A pong without a ping.
  case pong(token: UInt64)
  /// The joined room's schema is absent, false, too large or not the one asked for.
  case schema(String)
  /// The welcome or the seat is not as it must be.
  case seat(String)

  /// A gap only loses frames: a resume brings them back.
  package var isGap: Bool {
    if case .gap = self { true } else { false }
  }

  /// One line for a log.
  package var description: String {
    switch self {
    case .malformed(let type, let error): "message type \(type): \(error)"
    case .framing(.malformed(let error)): "message length: \(error)"
    case .framing(.tooLarge(let length, let limit)): "a message of \(length) bytes, at most \(limit) are allowed"
    case .unknownMessage(let type): "unknown required message type \(type)"
    case .unexpectedMessage(let type, let phase): "\(type) while \(phase)"
    case .gap(let last, let tick, let span):
      "gap: frame of \(tick) with span \(span) after \(last.map(\.description) ?? "no keyframe")"
    case .keyframeFromThePast(let last, let tick): "keyframe of \(tick) after \(last)"
    case .eventOrder(let expected, let found): "reliable event \(found) where \(expected) was due"
    case .eventsOwed(let first, let last): "reliable events \(first) to \(last) were due next"
    case .whisperOrder(let expected, let found): "whisper number \(found) where \(expected) was due"
    case .protocolEvent(let code): "event with protocol code \(code) is not as the protocol says"
    case .inputAck(let sequence, let last, let sent):
      "input \(sequence) acknowledged after \(last); sent up to \(sent)"
    case .reply(let id): "reply to call \(id), which is not open"
    case .pong(let token): "pong with token \(token), which was not sent"
    case .schema(let text): "schema: \(text)"
    case .seat(let text): text
    }
  }
}

/// Why a call on the core was refused; nothing was sent.
package enum ClientMisuse: Error, Equatable, Sendable, CustomStringConvertible {
  /// Not possible in the present phase.
  case phase(String)
  /// More than `limit` bytes.
  case tooLong(what: String, bytes: Int, limit: Int)
  /// A number out of its range.
  case outOfRange(what: String, value: Int, allowed: ClosedRange<Int>)
  /// The entity does not exist, or its owner is another.
  case notOwned(EntityID)
  /// The key or reference belongs to another schema.
  case foreign(String)
  /// 16 calls are unanswered already.
  case tooManyCalls
  /// The peer does not take what is waiting to be sent.
  case outputFull(bytes: Int)

  /// One line for a log.
  package var description: String {
    switch self {
    case .phase(let phase): "not possible while \(phase)"
    case .tooLong(let what, let bytes, let limit): "\(what) has \(bytes) bytes, at most \(limit) are allowed"
    case .outOfRange(let what, let value, let allowed):
      "\(what) is \(allowed.lowerBound) to \(allowed.upperBound), not \(value)"
    case .notOwned(let entity): "\(entity) does not exist or is not this player's"
    case .foreign(let text): text
    case .tooManyCalls: "\(ClientCore.unansweredCalls) calls are unanswered already: wait for a reply"
    case .outputFull(let bytes): "\(bytes) bytes wait to be sent: the server does not read them"
    }
  }
}
