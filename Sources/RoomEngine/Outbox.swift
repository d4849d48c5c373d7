import WireFormat

/// A connection's own messages that wait for its socket: acknowledgements, replies, whispers. Bounded in bytes; holds
/// no memory while empty.
package struct Outbox {
  private(set) var buffer: PooledBuffer?

  package init() {}

  package var count: Int { buffer?.count ?? 0 }

  /// Appends what `write` writes, at most `bound` bytes.
  ///
  /// - Returns: false, with nothing written, when `limit` bytes would be exceeded: the connection must end.
  package mutating func append(
    bound: Int, limit: Int, pool: BufferPool, _ write: (inout OutputRawSpan) -> Void
  ) -> Bool {
    guard count + bound <= limit else { return false }
    let room = makeRoom(bound, pool)
    room.write(write)
    return true
  }

  /// Appends a whole message; false when `limit` would be exceeded.
  package mutating func append(_ message: UnsafeRawBufferPointer, limit: Int, pool: BufferPool) -> Bool {
    guard count + message.count <= limit else { return false }
    makeRoom(message.count, pool).append(message)
    return true
  }

  /// Moves the bytes out; the caller holds the buffer now.
  mutating func take() -> PooledBuffer? {
    defer { buffer = nil }
    return buffer
  }

  package mutating func clear(pool: BufferPool) {
    if let buffer = take() { pool.release(buffer) }
  }

  private mutating func makeRoom(_ bytes: Int, _ pool: BufferPool) -> PooledBuffer {
    guard let old = buffer else {
      let new = pool.lease(bytes)
      buffer = new
      return new
    }
    if old.count + bytes <= old.capacity { return old }
    let new = pool.lease(old.count + bytes)
    new.append(old.bytes)
    pool.release(old)
    buffer = new
    return new
  }
}
