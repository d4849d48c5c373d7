import WireFormat

/// Follows the frames of a room and changes one so that it is still valid, and tells another state.
///
/// `@unchecked`: used on the loop of the proxy alone.
final class FrameForger: @unchecked Sendable {
  private var mirror: StateMirror
  private var content = FrameContent()

  init(_ schema: Schema) { mirror = StateMirror(schema) }

  /// The body of a frame as it is, or forged.
  func follow(_ body: [UInt8], forging: Bool) -> [UInt8] {
    let before = mirror
    guard (try? mirror.apply(body.span, into: &content)) != nil, forging else { return body }
    for bit in 0..<(body.count * 8) {
      var forged = body
      forged[bit / 8] ^= 1 << UInt8(bit % 8)
      var other = before
      guard (try? other.apply(forged.span, into: &content)) != nil, other.tick == mirror.tick else { continue }
      if other.hash != mirror.hash, isNear(other) { return forged }
    }
    return body
  }

  /// So near that what follows stays in range.
  private func isNear(_ other: StateMirror) -> Bool {
    zip(mirror.tables, other.tables).allSatisfy { mine, other in
      var isNear = mine.presence == other.presence
      mine.forEach { id in
        for column in 0..<mine.layout.columnCount where (mine.word(column, id) - other.word(column, id)).magnitude > 4 {
          isNear = false
        }
      }
      return isNear
    }
  }
}
