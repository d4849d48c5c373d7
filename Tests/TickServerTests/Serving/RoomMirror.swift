import Testing
import WireFormat

/// What a client knows of its room: the state after each frame, and whether the chain of frames has a gap.
struct RoomMirror {
  private(set) var state: StateMirror
  private(set) var frames = 0
  private(set) var keyframes = 0
  /// The state hash after each tick that brought a frame.
  private(set) var hashes: [Tick: UInt64] = [:]
  /// Numbers of the reliable events seen, in order.
  private(set) var events: [UInt64] = []
  private(set) var lastEvent: UInt64
  private var content = FrameContent()

  init(_ schema: Schema, lastEvent: UInt64) {
    state = StateMirror(schema)
    self.lastEvent = lastEvent
  }

  var tick: Tick? { state.tick }

  mutating func apply(frame body: [UInt8]) throws {
    let before = state.tick
    try state.apply(body.span, into: &content)
    if content.isKeyframe {
      keyframes += 1
    } else {
      let expected = (before ?? Tick(0)).rawValue + content.span
      guard content.tick.rawValue == expected else {
        throw ClientFault("frame \(content.tick) after \(String(describing: before)) with span \(content.span)")
      }
      frames += 1
    }
    hashes[content.tick] = state.hash
    if let block = content.events { try take(block, body) }
  }

  mutating func apply(missedEvents body: [UInt8]) throws {
    try take(try MissedEvents.block(body.span), body)
  }

  private mutating func take(_ events: EventBlock, _ body: [UInt8]) throws {
    var block = events
    while let event = block.next(body.span) {
      guard let number = event.number else { continue }
      guard number == lastEvent + 1 else { throw ClientFault("event \(number) after \(lastEvent)") }
      lastEvent = number
      self.events.append(number)
    }
  }
}
