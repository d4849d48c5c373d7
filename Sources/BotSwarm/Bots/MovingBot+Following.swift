import ClientCore
import WireFormat

/// How a bot knows its room's state when decoding is shared.
enum Following {
  /// Not yet, or no more; or the core keeps the state itself.
  case unknown
  /// By a mirror of its own: after a keyframe, until it is found equal to the room's.
  case own(StateMirror)
  /// Equal to what the room's shared mirror was at the bot's tick.
  case shared
}

/// Frames as bytes: their lengths for every bot, and shared decoding.
extension MovingBot {
  /// Looks at the frames among bytes that the core has found in order.
  func follow(_ bytes: Span<UInt8>) {
    // The core has checked the framing.
    _ = try? assembler.feed(bytes) { type, body in
      if type == MessageType.frame.rawValue { take(body) }
      return .proceed
    }
  }

  private func take(_ body: Span<UInt8>) {
    // Length prefix of the sizes that occur: two bytes up to 16383.
    let prefixBytes = body.count < 127 ? 1 : body.count < 16_383 ? 2 : 3
    let isKeyframe = body[0] & 1 != 0
    measures.totals.framesReceived += 1
    if isKeyframe {
      measures.totals.keyframesReceived += 1
      if hasSeenKeyframe { measures.totals.skips += 1 }
      hasSeenKeyframe = true
    } else {
      measures.totals.deltaFrameBytes += UInt64(body.count + 1 + prefixBytes)
    }
    if surroundings.plan.measuresBytes, room.bots.first === self { measure(body, prefixBytes: prefixBytes + 1) }
    guard surroundings.plan.sharesDecoding else { return }
    do throws(WireError) {
      if isKeyframe { try takeKeyframe(body) } else { try takeDelta(body) }
    } catch {
      measures.totals.faults.decodeErrors += 1
      measures.note("bot \(index) in room \(room.name): \(error)")
      isFaulty = true
      fail("protocolFault")
    }
  }

  private func measure(_ body: Span<UInt8>, prefixBytes: Int) {
    guard let schema = core.seat?.schema else { return }
    if room.meter == nil { room.meter = FrameMeter(schema) }
    room.meter?.take(body, prefixBytes: prefixBytes, isSteady: measures.isSteady)
  }

  private func takeKeyframe(_ body: Span<UInt8>) throws(WireError) {
    guard let schema = core.seat?.schema else { return }
    var mirror = StateMirror(schema)
    var content = FrameContent()
    try mirror.apply(body, into: &content)
    mirrorTick = content.tick
    following = room.adopt(mirror) ? .shared : .own(mirror)
  }

  private func takeDelta(_ body: Span<UInt8>) throws(WireError) {
    guard let previous = mirrorTick else { return }
    if case .own(let mirror) = following, let known = room.hash(at: previous) {
      count(known == mirror.hash ? .equal : .different)
      following = known == mirror.hash ? .shared : .unknown
    }
    let head = try FrameHead(body)
    mirrorTick = head.tick
    switch following {
    case .unknown: measures.totals.framesUnchecked += 1
    case .own(var mirror):
      following = .unknown
      var content = FrameContent()
      try mirror.apply(head, body, into: &content)
      measures.totals.entityUpdates += UInt64(content.changed.count)
      following = room.adopt(mirror) ? .shared : .own(mirror)
    case .shared:
      let found = try room.share(body, tick: head.tick, after: previous)
      measures.totals.entityUpdates += UInt64(found.changes)
      if found.comparison == .equal { measures.totals.framesShared += 1 }
      if found.comparison == .tooLate || found.comparison == .different { following = .unknown }
      count(found.comparison)
    }
  }

  func count(_ comparison: BotRoom.Comparison) {
    switch comparison {
    case .first: break
    case .equal: measures.totals.hashesCompared += 1
    case .tooLate: measures.totals.framesUnchecked += 1
    case .different:
      measures.totals.hashesCompared += 1
      measures.totals.faults.hashDifferences += 1
      measures.note(
        "bot \(index) in room \(room.name): state differs from the other bots' after \(lastFrame.map { "\($0.tick)" } ?? "-")"
      )
    }
  }
}
