/// What may be written to one member now: slices in order, and what each of them is. One plan a loop, used again for
/// every member.
package final class WritePlan {
  enum Part {
    case greeting
    case outbox
    case frame(UInt64, FrameLog.Frame)
    case keyframe(PooledBuffer, number: UInt64, lastEvent: UInt64)
    case events(PooledBuffer)

    var isOutbox: Bool { if case .outbox = self { true } else { false } }
  }

  /// Most frames of one write: the rest goes with the next, so that one member cannot keep the loop.
  static let mostFrames = 64
  /// Greeting, keyframe, events, outbox.
  static let mostResyncParts = 4

  /// The bytes to write, valid until the room's next tick.
  @exclusivity(unchecked) package private(set) var slices: [UnsafeRawBufferPointer] = []
  @exclusivity(unchecked) private(set) var parts: [Part] = []
  /// Starts anew from a keyframe.
  @exclusivity(unchecked) var isResync = false
  /// Not everything that waits is in it.
  @exclusivity(unchecked) var isCut = false

  package init() {
    slices.reserveCapacity(Self.mostFrames + Self.mostResyncParts)
    parts.reserveCapacity(Self.mostFrames + Self.mostResyncParts)
  }

  /// Whether more waits than fitted into this plan.
  package var hasMore: Bool { isCut }

  package func withSlices<Result>(_ body: (UnsafeBufferPointer<UnsafeRawBufferPointer>) -> Result) -> Result {
    slices.withUnsafeBufferPointer(body)
  }

  /// Forgets the last member's plan.
  func reset() {
    slices.removeAll(keepingCapacity: true)
    parts.removeAll(keepingCapacity: true)
    isResync = false
    isCut = false
  }

  func add(_ part: Part, _ bytes: UnsafeRawBufferPointer) {
    parts.append(part)
    slices.append(bytes)
  }
}
