package import WireFormat

/// The last frames of a room, bounded in count and bytes. Frames are numbered 1, 2, 3 ...; a member's cursor is one of
/// these numbers.
package struct FrameLog {
  /// A sealed frame: a whole message, the same bytes for every member.
  package struct Frame {
    package let buffer: PooledBuffer
    package let tick: Tick
    /// Number of the last reliable event up to and including this frame.
    package let lastEvent: UInt64
    /// Bytes of all frames of the room up to and including this one.
    private(set) var end: UInt64 = 0

    package init(buffer: PooledBuffer, tick: Tick, lastEvent: UInt64) {
      self.buffer = buffer
      self.tick = tick
      self.lastEvent = lastEvent
    }

    fileprivate func ending(at end: UInt64) -> Frame {
      var frame = self
      frame.end = end
      return frame
    }
  }

  private(set) var frames: Ring<Frame>
  private let mostFrames: Int
  private let mostBytes: Int
  /// Bytes of memory that the frames hold, spare room of their buffers included.
  package private(set) var bytes = 0
  /// Number of the newest frame; 0 before the first.
  package private(set) var head: UInt64 = 0
  package private(set) var headTick = Tick(0)
  package private(set) var headEvent: UInt64 = 0
  /// Bytes of all frames so far, those that are gone included.
  package private(set) var totalBytes: UInt64 = 0

  package init(frames: Int, bytes: ByteCount) {
    mostFrames = frames
    mostBytes = bytes.bytes
    self.frames = Ring(reserving: frames + 1)
  }

  /// Number of the oldest frame kept; `head + 1` when none is.
  package var tail: UInt64 { head + 1 - UInt64(frames.count) }

  /// Whether everything after frame `cursor` is still here.
  package func reaches(back cursor: UInt64) -> Bool { cursor + 1 >= tail }

  package func frame(_ number: UInt64) -> Frame { frames[Int(number - tail)] }

  /// Bytes of the frames after `cursor`; check ``reaches(back:)`` first.
  func bytes(after cursor: UInt64) -> UInt64 {
    guard cursor < head else { return 0 }
    let first = frame(cursor + 1)
    return totalBytes - first.end + UInt64(first.buffer.count)
  }

  /// Takes over one hold on `frame.buffer` and lets go of the frames that are over the bounds. The newest frame always
  /// stays.
  package mutating func append(_ frame: Frame, pool: BufferPool) {
    totalBytes += UInt64(frame.buffer.count)
    frames.append(frame.ending(at: totalBytes))
    bytes += frame.buffer.capacity
    head += 1
    headTick = frame.tick
    headEvent = frame.lastEvent
    while frames.count > mostFrames || (bytes > mostBytes && frames.count > 1) { dropOldest(pool) }
  }

  package mutating func removeAll(pool: BufferPool) {
    while !frames.isEmpty { dropOldest(pool) }
  }

  /// The number of the frame of this tick, or nil when it is not kept.
  package func number(of tick: Tick) -> UInt64? {
    var low = 0
    var high = frames.count
    while low < high {
      let middle = (low + high) / 2
      if frames[middle].tick < tick { low = middle + 1 } else { high = middle }
    }
    return low < frames.count && frames[low].tick == tick ? tail + UInt64(low) : nil
  }

  private mutating func dropOldest(_ pool: BufferPool) {
    guard let oldest = frames.popFirst() else { return }
    bytes -= oldest.buffer.capacity
    pool.release(oldest.buffer)
  }
}
