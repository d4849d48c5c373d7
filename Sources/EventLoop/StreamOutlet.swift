package import CUV
import Glibc

/// A stream as the loop over all members of a room sees it: a place to write to, without reference counting and without
/// a look at libuv's part of it, which at thousands of members would be in no cache.
///
/// It keeps nothing alive: whoever keeps the stream lets go of its outlets before it ends, or frames go to whatever has
/// its descriptor next.
package struct StreamOutlet {
  @usableFromInline let descriptor: Int32
  @usableFromInline let handle: UnsafeMutablePointer<uv_handle_t>

  /// Nil for a stream that is not open.
  package init?(_ stream: Stream) {
    guard let descriptor = stream.descriptor else { return nil }
    self.descriptor = descriptor
    handle = stream.raw
  }

  @usableFromInline var isCurrent: Bool {
    var number: uv_os_fd_t = -1
    return uv_fileno(handle, &number) == 0 && number == descriptor
  }
}

/// The same bytes for many streams of a loop, none of which has a write in flight. Nothing else is written on the loop
/// while it is in use.
package struct Broadcast {
  @usableFromInline let bytes: UnsafeRawBufferPointer
  /// The loop's; the shared bytes lie in it once for all.
  @usableFromInline let slices: UnsafeMutablePointer<uv_buf_t>
  @usableFromInline static let flags = Int32(MSG_DONTWAIT | MSG_NOSIGNAL)

  package init(_ bytes: UnsafeRawBufferPointer, on loop: Loop) {
    self.bytes = bytes
    slices = loop.writeVector
    slices[0] = uv_buf_t(bytes)
  }

  /// Offers the bytes and, unless it is empty, a trailer behind them, as one write.
  ///
  /// `send`, where libuv has `write`: what the kernel does for files on the way to the socket is spared.
  ///
  /// - Returns: how many bytes the kernel took, 0 when its buffer is full; below 0 for errors.
  @inlinable
  package func offer(to outlet: StreamOutlet, _ trailer: UnsafeRawBufferPointer) -> Int {
    assert(outlet.isCurrent, "an outlet has outlived its stream")
    let taken =
      trailer.count > 0
      ? offerBoth(to: outlet, trailer) : send(outlet.descriptor, bytes.baseAddress, bytes.count, Self.flags)
    return taken >= 0 ? taken : untaken
  }

  @usableFromInline
  func offerBoth(to outlet: StreamOutlet, _ trailer: UnsafeRawBufferPointer) -> Int {
    slices[1] = uv_buf_t(trailer)
    var message = msghdr()
    // libuv's slices have the layout of the system's, as its documentation promises.
    message.msg_iov = UnsafeMutableRawPointer(slices).assumingMemoryBound(to: iovec.self)
    message.msg_iovlen = 2
    return sendmsg(outlet.descriptor, &message, Self.flags)
  }

  /// What a failed call comes to: a signal that interrupts it is as a full buffer, the next write tells more.
  @usableFromInline var untaken: Int { [EAGAIN, ENOBUFS, EINTR].contains(errno) ? 0 : Int(-errno) }
}
