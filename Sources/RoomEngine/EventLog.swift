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
  /// Messages for those who miss events, by what they have: one for all who miss the same. Of this moment only.
  private(set) var missedMessages: [(cursor: UInt64, buffer: PooledBuffer)] = []
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
    dropMissed(pool: pool)
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

  /// What ``missed(after:pool:)`` would lease, in bytes: 0 when there is nothing, or it is there already.
  func missedCost(after cursor: UInt64) -> Int {
    guard cursor < last, !missedMessages.contains(where: { $0.cursor == cursor }) else { return 0 }
    return BufferPool.capacity(for: Self.messageBound(ByteCount(missedBytes(after: cursor))))
  }

  /// An Events message with everything after event `cursor`, made once for all who ask until ``dropMissed(pool:)``; nil when
  /// there is nothing. Check ``reaches(back:)`` first. The log keeps its hold: whoever keeps the message takes one too.
  package mutating func missed(after cursor: UInt64, pool: BufferPool) -> PooledBuffer? {
    guard cursor < last else { return nil }
    if let known = missedMessages.first(where: { $0.cursor == cursor }) { return known.buffer }
    let size = missedBytes(after: cursor)
    let message = pool.lease(Self.messageBound(ByteCount(size)))
    let body = varintLength(cursor + 1) + varintLength(last - cursor) + size
    message.write { out in
      out.put(varint: body + 1)
      out.put(byte: MessageType.events.rawValue)
      out.put(varint: cursor + 1)
      out.put(varint: last - cursor)
    }
    forEach(after: cursor) { message.append($0.buffer.bytes) }
    missedMessages.append((cursor, message))
    return message
  }

  /// Lets go of the messages that were made: they hold memory, and the next tick's are others.
  mutating func dropMissed(pool: BufferPool) {
    guard !missedMessages.isEmpty else { return }
    for missed in missedMessages { pool.release(missed.buffer) }
    missedMessages.removeAll(keepingCapacity: true)
  }

  private func missedBytes(after cursor: UInt64) -> Int {
    var size = 0
    forEach(after: cursor) { size += $0.buffer.count }
    return size
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
    dropMissed(pool: pool)
    while let oldest = blocks.popFirst() { pool.release(oldest.buffer) }
    events = 0
    bytes = 0
  }

  private func forEach(after cursor: UInt64, _ body: (Block) -> Void) {
    for offset in 0..<blocks.count where blocks[offset].first > cursor { body(blocks[offset]) }
  }
}
