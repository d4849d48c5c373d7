import WireFormat

/// The acknowledgement of inputs belongs to the frame in which they are applied, and the server writes both at once; but
/// it is a message behind the frame, and the network may part them. Who then looked would see the state of one tick with
/// the acknowledgement of the tick before.
///
/// So a frame that may have an acknowledgement behind it waits for the next message, with the whispers and replies
/// between them. It may have one when an input is on its way for as long as the shortest round trip takes; each of those
/// is acknowledged, so the wait is short. Nothing waits when nothing was sent.
extension ClientCore {
  /// A wait that takes longer has another cause: the state is then told as it is.
  package static let longestHoldMicroseconds: UInt64 = 100_000

  /// The output that was taken so far has left: the inputs in it are on their way.
  package func inputsLeft(now: UInt64) {
    guard configuration.joinsAcknowledgements else { return }
    inputTimes.sent(sentInput, now: now)
  }

  /// Tells a frame that has waited for too long. Call it now and then.
  package func tellOverdue(now: UInt64, _ delegate: any ClientCoreDelegate) -> Bool {
    guard phase.isConnected, held.isHolding, now >= held.since &+ Self.longestHoldMicroseconds else { return true }
    do throws(MessageFailure) {
      try tellHeld(delegate)
      return true
    } catch {
      switch error {
      case .wire(let error): finish(.malformed(type: MessageType.frame.rawValue, error), delegate)
      case .fault(let fault): finish(fault, delegate)
      }
      return false
    }
  }

  private func finish(_ fault: ClientFault, _ delegate: any ClientCoreDelegate) {
    phase = .finished(.fault(fault))
    delegate.client(self, didFind: fault)
  }

  func handleWithTrailer(
    _ type: MessageType, _ body: Span<UInt8>, now: UInt64, _ delegate: any ClientCoreDelegate
  ) throws(MessageFailure) {
    switch type {
    case .frame:
      try tellHeld(delegate)
      if mayBeAcknowledged(now: now) { return held.hold(type, body, now: now) }
    case .whisper, .reply:
      if held.isHolding, held.hasRoom(for: body.count) { return held.hold(type, body, now: now) }
      try tellHeld(delegate)
    default: try tellHeld(delegate)
    }
    try handleRoom(type, body, delegate)
  }

  /// Whether a frame that comes now may have an acknowledgement behind it.
  private func mayBeAcknowledged(now: UInt64) -> Bool {
    guard configuration.joinsAcknowledgements, let seat, seat.tick != nil, seat.owedThrough == nil else { return false }
    let roundTrip = clock.roundTripMicroseconds ?? 0
    // The way may have become a little shorter since it was measured.
    let margin = min(roundTrip, max(roundTrip / 8, 2_000))
    return inputTimes.hasWaited(roundTrip - margin, after: seat.acknowledgedInput, now: now)
  }

  func tellHeld(_ delegate: any ClientCoreDelegate) throws(MessageFailure) {
    guard held.isHolding else { return }
    let messages = held.take()
    for message in messages {
      guard phase.hasRoom else { return }
      try handleRoom(message.type, message.body.span, delegate)
    }
  }
}

/// A frame that waits for what belongs to it, and what came behind it.
struct HeldFrame {
  /// Of whispers and replies behind the frame, which itself is at most a message long.
  private static let trailerBytes = 64 * 1024

  private var messages: [(type: MessageType, body: [UInt8])] = []
  private var behindBytes = 0
  /// When the frame came.
  private(set) var since: UInt64 = 0

  var isHolding: Bool { !messages.isEmpty }

  func hasRoom(for bytes: Int) -> Bool { behindBytes + bytes <= Self.trailerBytes }

  mutating func hold(_ type: MessageType, _ body: Span<UInt8>, now: UInt64) {
    if messages.isEmpty { since = now } else { behindBytes += body.count }
    messages.append((type, body.array(0..<body.count)))
  }

  mutating func take() -> [(type: MessageType, body: [UInt8])] {
    defer { self = HeldFrame() }
    return messages
  }
}

/// When inputs left, for those that are not acknowledged.
struct InputTimes: Sendable {
  /// More are on their way only while the server takes none: the oldest are what counts.
  private static let most = 64

  private var sent: [(sequence: UInt32, at: UInt64)] = []
  private var last: UInt32

  /// - Parameter last: the last input that is of no interest, being of an older connection.
  init(after last: UInt32 = 0) { self.last = last }

  mutating func sent(_ sequence: UInt32, now: UInt64) {
    guard sequence > last else { return }
    last = sequence
    if sent.count < Self.most { sent.append((sequence, now)) } else { sent[Self.most - 1].sequence = sequence }
  }

  /// Whether the oldest input that is not acknowledged left that long ago.
  mutating func hasWaited(_ microseconds: UInt64, after acknowledged: UInt32, now: UInt64) -> Bool {
    sent.removeAll { $0.sequence <= acknowledged }
    guard let oldest = sent.first else { return false }
    return now >= oldest.at &+ microseconds
  }
}
