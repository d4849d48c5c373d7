import WireFormat

/// What a client is told that did not come to anything: inputs that the room left out, and what went down with a connection.
extension ClientCore {
  /// A ping is on its way behind all that was raised so far.
  func markRaised(token: UInt64) {
    if raised.marks.count == ClockSync.window { raised.marks.removeFirst() }
    raised.marks.append((token, raised.count))
  }

  /// The server has read all that was sent before this ping.
  func confirmRaised(token: UInt64) {
    guard let mark = raised.marks.last(where: { $0.token <= token }) else { return }
    raised.confirmed = max(raised.confirmed, mark.count)
    raised.marks.removeAll { $0.token <= token }
  }

  /// The connection is gone.
  func tellLosses(_ delegate: any ClientCoreDelegate) {
    let unconfirmed = raised.count - raised.confirmed
    raised = RaisedEvents()
    if unconfirmed > 0 { delegate.client(self, mayHaveLostEvents: unconfirmed) }
    seat?.sentBeforeCut = sentInput
  }

  /// The seat is given up, and with it the inputs that it had not acknowledged.
  func tellUnacknowledged(_ delegate: any ClientCoreDelegate) {
    guard let seat else { return }
    let lost = seat.acknowledgedInput..<max(seat.acknowledgedInput, sentInput)
    seat.acknowledgedInput = sentInput
    // Sequences go on from room to room: those before its first are none of this seat's.
    let first = max(lost.lowerBound, seat.sentBeforeJoin)
    if first < lost.upperBound { tellDropped(lost.upperBound - first, first + 1..<lost.upperBound + 1, delegate) }
  }

  /// The room says what became of inputs.
  func accept(_ ack: InputAck, _ seat: RoomSeat, _ delegate: any ClientCoreDelegate) throws(MessageFailure) {
    let last = seat.acknowledgedInput
    guard ack.sequence >= last, ack.sequence <= sentInput, ack.dropped >= seat.droppedInputs else {
      throw .fault(.inputAck(sequence: ack.sequence, last: last, sent: sentInput))
    }
    let dropped = ack.dropped - seat.droppedInputs
    seat.acknowledgedInput = ack.sequence
    seat.droppedInputs = ack.dropped
    delegate.client(self, didAcknowledge: ack.sequence)
    // They lie between what was acknowledged before and the first of those that were applied in a row.
    if dropped > 0, ack.firstApplied > last + 1 { tellDropped(dropped, last + 1..<ack.firstApplied, delegate) }
    // The first word after a resume is of what the lost connection had brought.
    if let sent = seat.sentBeforeCut, ack.sequence < sent {
      tellDropped(sent - ack.sequence, ack.sequence + 1..<sent + 1, delegate)
    }
    seat.sentBeforeCut = nil
  }

  private func tellDropped(_ count: UInt32, _ range: Range<UInt32>, _ delegate: any ClientCoreDelegate) {
    delegate.client(self, didDrop: count, ofInputs: range)
  }
}

/// Reliable events raised over a connection, and how many of them the server has read for certain.
struct RaisedEvents: Sendable {
  var count = 0
  var confirmed = 0
  /// How many there were when each unanswered ping was sent, oldest first; at most ``ClockSync/window``.
  var marks: [(token: UInt64, count: Int)] = []
}
