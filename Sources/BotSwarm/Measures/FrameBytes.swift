package import WireFormat

/// What frames took, part by part, as the bots that measure decoded them.
package struct FrameBytes: Sendable {
  /// Frames of the steady window that are no keyframes.
  package var frames: FrameSum
  package var keyframes: FrameSum
  package let schema: Schema

  /// A number of frames together.
  package struct FrameSum: Sendable {
    package var count: UInt64 = 0
    /// Whole messages, with length and type.
    package var bytes: UInt64 = 0
    package var costs: FrameCosts
    /// Length and type of the messages.
    package var prefixBytes: UInt64 = 0

    init(_ schema: Schema) { costs = FrameCosts(schema) }

    mutating func add(_ other: FrameSum) {
      count += other.count
      bytes += other.bytes
      costs.add(other.costs)
      prefixBytes += other.prefixBytes
    }
  }

  init(_ schema: Schema) {
    self.schema = schema
    (frames, keyframes) = (FrameSum(schema), FrameSum(schema))
  }

  mutating func add(_ other: FrameBytes) {
    guard other.schema == schema else { return }
    frames.add(other.frames)
    keyframes.add(other.keyframes)
  }
}

/// Decodes what one bot of a room gets, to count what the parts of its frames take.
struct FrameMeter {
  private(set) var bytes: FrameBytes
  private var mirror: StateMirror
  private var content = FrameContent()
  private var isFollowing = false

  init(_ schema: Schema) {
    bytes = FrameBytes(schema)
    mirror = StateMirror(schema)
  }

  /// - Parameters:
  ///   - prefixBytes: length and type in front of the body.
  ///   - isSteady: whether a frame that is no keyframe counts.
  mutating func take(_ body: Span<UInt8>, prefixBytes: Int, isSteady: Bool) {
    let isKeyframe = body[0] & 1 != 0
    guard isKeyframe || isFollowing else { return }
    mirror.costs = FrameCosts(bytes.schema)
    // Faults are for the bot to find, which decodes the same bytes.
    isFollowing = (try? mirror.apply(body, into: &content)) != nil
    guard isFollowing, isKeyframe || isSteady, let costs = mirror.costs else { return }
    var sum = FrameBytes.FrameSum(bytes.schema)
    (sum.count, sum.bytes) = (1, UInt64(prefixBytes + body.count))
    (sum.costs, sum.prefixBytes) = (costs, UInt64(prefixBytes))
    if isKeyframe { bytes.keyframes.add(sum) } else { bytes.frames.add(sum) }
  }
}
