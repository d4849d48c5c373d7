import WireFormat

/// What a frame starts with.
struct FrameHead {
  var isKeyframe: Bool
  var tick: UInt32
  /// The span of a frame, the last event of a keyframe.
  var spanOrLastEvent: UInt64 = 1
}

/// One event of a frame to be encoded.
struct FrameEvent {
  var isReliable: Bool
  var sender: PlayerID?
  var isForSender = true
  var code: UInt16
  var payload: [UInt8]
}

extension FrameEvent {
  init(_ fields: JSONValue) throws {
    let flags = try fields.uint("flags")
    isReliable = flags & 1 != 0
    sender = flags & 2 != 0 ? PlayerID(rawValue: UInt16(try fields.uint("sender"))) : nil
    isForSender = flags & 4 == 0
    code = UInt16(try fields.uint("code"))
    payload = try fields.bytes("payloadHex")
  }
}

/// Whole Frame messages put together from their parts.
enum FrameMessage {
  static func bound(_ events: [FrameEvent]) -> Int {
    events.reduce(32) { $0 + RoomEvent.overhead + $1.payload.count }
  }

  /// The events part of a frame, or the body of an Events message.
  static func encode(firstReliable: UInt64, _ events: [FrameEvent], into out: inout OutputRawSpan) {
    out.put(varint: firstReliable)
    out.put(varint: events.count)
    for event in events {
      RoomEvent.encode(
        isReliable: event.isReliable, sender: event.sender, isForSender: event.isForSender, code: event.code,
        payload: event.payload.span, into: &out)
    }
  }

  static func bytes(
    _ head: FrameHead, firstReliable: UInt64, _ events: [FrameEvent], state: [UInt8]?
  ) -> [UInt8] {
    let bound = 32 + bound(events) + (state?.count ?? 0)
    return encodedBytes(bound: bound + messageOverhead) { out in
      out.put(.frame, bound: bound) { out in
        out.put(byte: (head.isKeyframe ? 1 : 0) | (events.isEmpty ? 0 : 2) | (state == nil ? 0 : 4))
        out.put(varint: UInt64(head.tick))
        out.put(varint: head.spanOrLastEvent)
        if !events.isEmpty { encode(firstReliable: firstReliable, events, into: &out) }
        if let state { out.put(raw: state.span) }
      }
    }
  }
}
