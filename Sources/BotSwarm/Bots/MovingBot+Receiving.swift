import ClientCore
import EventLoop
import WireFormat

extension MovingBot: StreamDelegate {
  func stream(_ stream: Stream, didRead bytes: UnsafeRawBufferPointer) {
    now = LoopMeasures.now()
    measures.bytesReceived += bytes.count
    let span = bytes.assumingMemoryBound(to: UInt8.self).span
    guard core.receive(span, now: now, self) else { return lose() }
    follow(span)
    if !connection.flush(core) { fail("writeFailed") }
  }

  func streamDidEnd(_ stream: Stream, _ streamEnd: StreamEnd) {
    switch streamEnd {
    case .endOfStream: fail("peerClosed")
    case .reset: fail("peerReset")
    case .error(let error): fail("\(error)")
    }
  }

  func stream(_ stream: Stream, didCompleteWrite error: LoopError?) {
    connection.didCompleteWrite()
    if error == nil, state == .joined || state == .away || state == .leaving, !connection.flush(core) {
      fail("writeFailed")
    }
  }

  func streamDidClose(_ stream: Stream) { closed() }
}

extension MovingBot: ClientCoreDelegate {
  func client(_ core: ClientCore, didReceive welcome: Welcome) {
    // In a resume the room's answer follows by itself.
    guard core.phase == .welcomed else { return }
    do throws(ClientMisuse) {
      try core.join(room.name, kind: surroundings.plan.roomKind)
    } catch {
      fail("\(error)")
    }
  }

  func client(_ core: ClientCore, didReceive joined: Joined) { joined.isResumed ? returned() : self.joined(joined) }

  func client(_ core: ClientCore, didReceive refusal: JoinRefused) { refused(refusal) }

  func clientDidLeave(_ core: ClientCore) { left() }

  func client(_ core: ClientCore, didApply frame: FrameContent) {
    guard let hash = core.stateHash else { return }
    if !frame.isKeyframe { measures.totals.entityUpdates += UInt64(frame.changed.count) }
    count(room.compare(frame.tick, hash: hash))
  }

  func client(_ core: ClientCore, didFinish tick: Tick) { countFrame(tick) }

  func client(_ core: ClientCore, didReceive event: RoomEvent, payload: Span<UInt8>) {
    guard event.code == Talk.code, let sender = event.sender, event.isReliable else { return }
    heard(payload, from: sender)
  }

  func client(_ core: ClientCore, didReceive whisper: Whisper, payload: Span<UInt8>) {
    guard whisper.code == Talk.code, let sender = whisper.sender, whisper.isReliable else { return }
    heardWhisper(payload, from: sender)
  }

  func client(_ core: ClientCore, didReceive reply: Reply, payload: Span<UInt8>) { answered() }

  func client(_ core: ClientCore, didAcknowledge sequence: UInt32) { acknowledged(sequence) }

  func client(_ core: ClientCore, didLoseCall id: UInt32) { talk.openCalls -= 1 }

  func client(_ core: ClientCore, didFind fault: ClientFault) {
    isFaulty = true
    switch fault {
    case .gap(let last, let tick, _):
      if let last, tick <= last { measures.totals.faults.orderFaults += 1 } else { measures.totals.faults.gaps += 1 }
    case .keyframeFromThePast: measures.totals.faults.orderFaults += 1
    case .eventOrder(let expected, let found), .whisperOrder(let expected, let found):
      if found < expected { measures.totals.faults.eventsDoubled += 1 } else { measures.totals.faults.eventsLost += 1 }
    case .eventsOwed: measures.totals.faults.eventsLost += 1
    case .reply: measures.totals.faults.callFaults += 1
    default: measures.totals.faults.decodeErrors += 1
    }
    measures.note("bot \(index) in room \(room.name): \(fault)")
  }
}
