import WireFormat

/// The messages of a room: frames, events, whispers, acknowledgements, replies.
extension ClientCore {
  func handleRoom(
    _ type: MessageType, _ body: Span<UInt8>, _ delegate: any ClientCoreDelegate
  ) throws(MessageFailure) {
    guard let seat else { throw .fault(.unexpectedMessage(type, phase: phase.name)) }
    if type != .events, let owed = seat.owedThrough {
      throw .fault(.eventsOwed(first: seat.lastEvent &+ 1, last: owed))
    }
    switch type {
    case .frame: try acceptFrame(body, seat, delegate)
    case .events: try acceptMissedEvents(body, seat, delegate)
    case .whisper: try acceptWhisper(body, seat, delegate)
    case .inputAck: try acceptInputAck(body, seat, delegate)
    case .reply: try acceptReply(body, delegate)
    default: throw .fault(.unexpectedMessage(type, phase: phase.name))
    }
  }

  // MARK: Frames

  private func acceptFrame(
    _ body: Span<UInt8>, _ seat: RoomSeat, _ delegate: any ClientCoreDelegate
  ) throws(MessageFailure) {
    let head = try body.message { (body) throws(WireError) in try FrameHead(body) }
    // Before anything is applied: after a gap the state at hand is still good to resume from.
    try checkChain(head, seat)
    try apply(head, body, seat)
    if seat.tick == nil { clock.beginReading() }
    seat.tick = head.tick
    if seat.mirror != nil { delegate.client(self, didApply: content) }
    if let events = head.events {
      guard events.first == seat.lastEvent &+ 1 else {
        throw .fault(.eventOrder(expected: seat.lastEvent &+ 1, found: events.first))
      }
      try tell(events, body, seat, delegate)
    }
    delegate.client(self, didFinish: head.tick)
  }

  private func checkChain(_ head: FrameHead, _ seat: RoomSeat) throws(MessageFailure) {
    guard head.isKeyframe else {
      guard let last = seat.tick, head.tick.rawValue - head.span == last.rawValue else {
        throw .fault(.gap(last: seat.tick, tick: head.tick, span: head.span))
      }
      return
    }
    if let last = seat.tick, head.tick < last {
      throw .fault(.keyframeFromThePast(last: last, tick: head.tick))
    }
    guard head.lastEvent >= seat.lastEvent else {
      throw .fault(.eventOrder(expected: seat.lastEvent, found: head.lastEvent))
    }
    if head.lastEvent > seat.lastEvent { seat.owedThrough = head.lastEvent }
  }

  private func apply(_ head: FrameHead, _ body: Span<UInt8>, _ seat: RoomSeat) throws(MessageFailure) {
    // Keyframes are rare, so only they pay for a copy of what was there before.
    let before = head.isKeyframe && seat.tick != nil ? seat.mirror?.tables : nil
    do throws(WireError) {
      try seat.mirror?.apply(head, body, into: &content)
    } catch {
      throw .wire(error)
    }
    if let before { content.compare(tables, with: before) }
  }

  // MARK: Events

  private func acceptMissedEvents(
    _ body: Span<UInt8>, _ seat: RoomSeat, _ delegate: any ClientCoreDelegate
  ) throws(MessageFailure) {
    let block = try body.message { (body) throws(WireError) in try MissedEvents.block(body) }
    guard let owed = seat.owedThrough else {
      throw .fault(.unexpectedMessage(.events, phase: "no reliable event was missed"))
    }
    guard block.first == seat.lastEvent &+ 1, UInt64(block.count) == owed &- seat.lastEvent else {
      throw .fault(.eventsOwed(first: seat.lastEvent &+ 1, last: owed))
    }
    seat.owedThrough = nil
    try tell(block, body, seat, delegate)
    // A transient one among them leaves the numbers short.
    guard seat.lastEvent == owed else { throw .fault(.eventsOwed(first: seat.lastEvent &+ 1, last: owed)) }
  }

  /// Tells each event of a block whose numbers were found to continue ours.
  private func tell(
    _ block: EventBlock, _ body: Span<UInt8>, _ seat: RoomSeat, _ delegate: any ClientCoreDelegate
  ) throws(MessageFailure) {
    var block = block
    while let event = block.next(body) {
      if let number = event.number { seat.lastEvent = number }
      if event.code < WireLimits.firstGameEventCode {
        try tellProtocol(event, body.extracting(event.payload), seat, delegate)
      } else if event.isForSender || event.sender != seat.player {
        delegate.client(self, didReceive: event, payload: body.extracting(event.payload))
      }
    }
  }

  private func tellProtocol(
    _ event: RoomEvent, _ payload: Span<UInt8>, _ seat: RoomSeat, _ delegate: any ClientCoreDelegate
  ) throws(MessageFailure) {
    // Codes that a newer server may add are not for us.
    guard event.code == 1 || event.code == 2 else { return }
    var at = 0
    guard event.isReliable, event.sender == nil, let number = try? payload.varint16(&at, "player") else {
      throw .fault(.protocolEvent(code: event.code))
    }
    let player = PlayerID(rawValue: number)
    if event.code == 1 {
      guard let generation = try? payload.varint32(&at, "generation"), at == payload.count else {
        throw .fault(.protocolEvent(code: event.code))
      }
      seat.insert(player)
      delegate.client(self, playerJoined: player, generation: generation)
    } else {
      guard at == payload.count else { throw .fault(.protocolEvent(code: event.code)) }
      seat.remove(player)
      delegate.client(self, playerLeft: player)
    }
  }

  // MARK: The trailer

  private func acceptWhisper(_ body: Span<UInt8>, _ seat: RoomSeat, _ delegate: any ClientCoreDelegate)
    throws(MessageFailure)
  {
    let whisper = try body.message { (body) throws(WireError) in try Whisper(body) }
    let expected = whisper.isReliable ? seat.lastWhisper &+ 1 : seat.lastWhisper
    guard whisper.number == expected else {
      throw .fault(.whisperOrder(expected: expected, found: whisper.number))
    }
    seat.lastWhisper = whisper.number
    delegate.client(self, didReceive: whisper, payload: body.extracting(whisper.payload))
  }

  private func acceptInputAck(_ body: Span<UInt8>, _ seat: RoomSeat, _ delegate: any ClientCoreDelegate)
    throws(MessageFailure)
  {
    let ack = try body.message { (body) throws(WireError) in try InputAck(body) }
    try accept(ack, seat, delegate)
  }

  private func acceptReply(_ body: Span<UInt8>, _ delegate: any ClientCoreDelegate) throws(MessageFailure) {
    let reply = try body.message { (body) throws(WireError) in try Reply(body) }
    guard let position = openCalls.firstIndex(of: reply.id) else { throw .fault(.reply(id: reply.id)) }
    openCalls.remove(at: position)
    delegate.client(self, didReceive: reply, payload: body.extracting(reply.payload))
  }
}
