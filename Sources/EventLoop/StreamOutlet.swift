package import CUV

/// A stream as the loop over all members of a room sees it: a place to write to, without reference counting.
///
/// It keeps nothing alive: whoever keeps the stream lets go of its outlets first.
package struct StreamOutlet {
  @usableFromInline let stream: UnsafeMutablePointer<uv_stream_t>

  package init(_ stream: Stream) {
    self.stream = stream.stream
  }
}

/// The same bytes for many streams of a loop. Nothing else is written on the loop while it is in use.
package struct Broadcast {
  /// The loop's; the shared bytes lie in it once for all.
  @usableFromInline let slices: UnsafeMutablePointer<uv_buf_t>

  package init(_ bytes: UnsafeRawBufferPointer, on loop: Loop) {
    slices = loop.writeVector
    slices[0] = uv_buf_t(bytes)
  }

  /// Offers the bytes and, unless it is empty, a trailer behind them, as one write.
  ///
  /// - Returns: how many bytes the kernel took, 0 when its buffer is full or a write is in flight; below 0 for errors.
  @inlinable
  package func offer(to outlet: StreamOutlet, _ trailer: UnsafeRawBufferPointer) -> Int {
    var count: UInt32 = 1
    if trailer.count > 0 {
      slices[1].base = UnsafeMutablePointer(mutating: trailer.baseAddress?.assumingMemoryBound(to: CChar.self))
      slices[1].len = trailer.count
      count = 2
    }
    let taken = uv_try_write(outlet.stream, slices, count)
    return taken == UV_EAGAIN.rawValue ? 0 : Int(taken)
  }
}
