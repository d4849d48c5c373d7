/// What a frame says before its state: enough to see a gap, and to read the events, without touching a mirror.
package struct FrameHead: Sendable {
  package let isKeyframe: Bool
  package let tick: Tick
  /// Ticks since the frame before; 0 for a keyframe.
  package let span: UInt32
  /// Of a keyframe: number of the last reliable event that its state includes.
  package let lastEvent: UInt64
  /// Where the events lie in the frame's body; nil when it has none.
  package let events: EventBlock?
  /// Offset of the events, or of the state where there are none.
  let eventsStart: Int
  let hasState: Bool
  /// Offset of the state part.
  let stateStart: Int

  /// Reads the head of a Frame message's body and checks every event.
  package init(_ body: Span<UInt8>) throws(WireError) {
    var at = 0
    let flags = try body.flags(&at, known: 7, "flags")
    isKeyframe = flags & 1 != 0
    hasState = flags & 4 != 0
    tick = Tick(try body.varint32(&at, "tick"))
    if isKeyframe {
      guard flags & 2 == 0 else { throw WireError(.inconsistent, at: 0, "flags") }
      lastEvent = try body.varint(&at, "lastEvent")
      span = 0
    } else {
      lastEvent = 0
      let start = at
      span = try body.varint32(&at, "span")
      guard span > 0 else { throw WireError(.outOfRange, at: start, "span") }
      guard span <= tick.rawValue else { throw WireError(.inconsistent, at: start, "span") }
    }
    eventsStart = at
    events = flags & 2 != 0 ? try EventBlock(validating: body, at: &at) : nil
    stateStart = at
    if !hasState { try body.end(at) }
  }
}
