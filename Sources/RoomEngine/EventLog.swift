import WireFormat

/// The last reliable events of a room, for those who skip frames or resume; bounded in count and bytes.
///
/// It keeps one block for each frame that carried reliable events: members stand at frame boundaries, so blocks are
/// never split.
package struct EventLog {
  struct Block {
    let first: UInt64
    let count: Int
    let buffer: PooledBuffer
  }

  private(set) var blocks = Ring<Block>()
  private let mostEvents: Int
  private let mostBytes: Int
  private var events = 0
  /// Bytes of memory that the events hold.
  package private(set) var bytes = 0
  /// Number of the newest event; 0 before the first.
  package private(set) var last: UInt64 = 0

  package init(events: Int, bytes: ByteCount) {
    mostEvents = events
    mostBytes = bytes.bytes
  }

  /// Adds the coded reliable events of one frame and takes over one hold on the buffer.
  package mutating func append(_ buffer: PooledBuffer, count: Int, pool: BufferPool) {
    blocks.append(Block(first: last + 1, count: count, buffer: buffer))
    last += UInt64(count)
    events += count
    bytes += buffer.capacity
    while events > mostEvents || bytes > mostBytes, let oldest = blocks.popFirst() {
      events -= oldest.count
      bytes -= oldest.buffer.capacity
      pool.release(oldest.buffer)
    }
  }

  /// An Events message with everything after event `cursor`; nil when there is nothing. Check ``reaches(back:)`` first.
  package func missed(after cursor: UInt64, pool: BufferPool) -> PooledBuffer? {
    guard cursor < last else { return nil }
    var size = 0
    forEach(after: cursor) { size += $0.buffer.count }
    let message = pool.lease(Self.messageBound(ByteCount(size)))
    let body = varintLength(cursor + 1) + varintLength(last - cursor) + size
    message.write { out in
      out.put(varint: body + 1)
      out.put(byte: MessageType.events.rawValue)
      out.put(varint: cursor + 1)
      out.put(varint: last - cursor)
    }
    forEach(after: cursor) { message.append($0.buffer.bytes) }
    return message
  }

  /// Most bytes of an Events message around so many bytes of events: its first number and count are two varints.
  static func messageBound(_ events: ByteCount) -> Int { messageOverhead + 20 + events.bytes }

  /// Whether every event after `cursor` is still here and `cursor` is a frame's end.
  package func reaches(back cursor: UInt64) -> Bool {
    if cursor == last { return true }
    guard cursor < last else { return false }
    for offset in 0..<blocks.count where blocks[offset].first == cursor + 1 { return true }
    return false
  }

  package mutating func removeAll(pool: BufferPool) {
    while let oldest = blocks.popFirst() { pool.release(oldest.buffer) }
    events = 0
    bytes = 0
  }

  private func forEach(after cursor: UInt64, _ body: (Block) -> Void) {
    for offset in 0..<blocks.count where blocks[offset].first > cursor { body(blocks[offset]) }
  }
}
