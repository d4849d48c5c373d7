package import ClientCore
public import WireFormat

/// An event or a whisper as a client got it.
public struct ReceivedEvent: Equatable, Sendable {
  /// Number among the reliable ones; nil for a transient one.
  public let number: UInt64?
  /// Who raised it; nil for the server.
  public let sender: PlayerID?
  /// 16 to 65,535.
  public let code: UInt16
  /// The game's own bytes.
  public let payload: [UInt8]
}

/// The answer to a call.
public struct ReceivedReply: Equatable, Sendable {
  /// How the call ended; nil for a status that is not known.
  public let status: ReplyStatus?
  /// The game's own bytes.
  public let payload: [UInt8]
}

extension SimulatedClient: ClientCoreDelegate {
  package func client(_ core: ClientCore, didReceive joined: Joined) {
    guard !joined.isResumed else {
      resumes += 1
      return
    }
    joins += 1
    joinedEvent = joined.lastEvent
    (eventsBefore, whispersBefore) = (events.count, whispers.count)
  }

  package func client(_ core: ClientCore, didReceive refused: JoinRefused) {
    refusal = (JoinRefusal(rawValue: refused.code), refused.text)
  }

  package func client(_ core: ClientCore, didApply frame: FrameContent) {
    framesApplied += 1
    if frame.isKeyframe { keyframes += 1 }
  }

  package func client(_ core: ClientCore, didReceive event: RoomEvent, payload: Span<UInt8>) {
    events.append(
      ReceivedEvent(
        number: event.number, sender: event.sender, code: event.code, payload: payload.array(0..<payload.count)))
  }

  package func client(_ core: ClientCore, didFinish tick: Tick) { onFrame?(tick) }

  package func client(_ core: ClientCore, didReceive whisper: Whisper, payload: Span<UInt8>) {
    whispers.append(
      ReceivedEvent(
        number: whisper.isReliable ? whisper.number : nil, sender: whisper.sender, code: whisper.code,
        payload: payload.array(0..<payload.count)))
  }

  package func client(_ core: ClientCore, didReceive reply: Reply, payload: Span<UInt8>) {
    if replies[reply.id] != nil { room.faults.append("a second reply to call \(reply.id)") }
    replies[reply.id] = ReceivedReply(
      status: ReplyStatus(rawValue: reply.status), payload: payload.array(0..<payload.count))
  }

  package func client(_ core: ClientCore, didAcknowledge sequence: UInt32) { acknowledgedInput = sequence }

  package func client(_ core: ClientCore, didDrop count: UInt32, ofInputs range: Range<UInt32>) {
    if UInt32(range.count) < count { room.faults.append("\(count) inputs dropped of \(range)") }
    droppedInputs += Int(count)
    droppedRanges.append(range)
  }

  package func client(_ core: ClientCore, mayHaveLostEvents count: Int) { eventsPerhapsLost += count }

  package func client(_ core: ClientCore, didLoseCall id: UInt32) { lostCalls.append(id) }

  package func client(_ core: ClientCore, didReceive goodbye: Goodbye) {
    self.goodbye = (CloseReason(rawValue: goodbye.code), goodbye.text)
  }

  package func client(_ core: ClientCore, didFind fault: ClientFault) {
    room.faults.append("\(player.map(\.description) ?? "a client without a seat") found: \(fault)")
  }
}
