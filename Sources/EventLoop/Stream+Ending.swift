import CUV
import Glibc

/// The ways a stream ends, besides `close()`, which drops what the kernel has not sent yet if the peer's bytes are
/// unread.
extension Stream {
  /// The orderly goodbye: after the write in flight, sends FIN, discards what the peer still sends, and closes when the
  /// peer ends too.
  ///
  /// Closing at once with unread input would make the kernel send RST, which can destroy the goodbye before the peer
  /// reads it. A peer that never ends keeps the stream open: bound it with a timer that calls `close()` or `reset()`.
  package func closeAfterFlush() {
    guard isOpen, !isFlushing else { return }
    isFlushing = true
    stopReading()
    let request = UnsafeMutablePointer<uv_shutdown_t>.allocate(capacity: 1)
    request.initialize(to: uv_shutdown_t())
    let result = uv_shutdown(request, stream) { request, status in
      guard let request else { return }
      defer { request.deallocate() }
      guard let data = request.pointee.handle?.pointee.data else { return }
      Unmanaged<Stream>.fromOpaque(data).takeUnretainedValue().didShutDown(status)
    }
    guard result == 0 else {
      request.deallocate()
      return close()
    }
  }

  private func didShutDown(_ status: Int32) {
    // Only from here on may the peer's end close the stream: before it, bytes of ours are still on their way.
    if status == 0 { startReading() } else { close() }
  }

  /// Tears the connection down: the kernel forgets what it has not sent, gives its memory back at once and sends RST.
  package func reset() {
    guard isOpen else { return }
    // Not uv_tcp_close_reset, which refuses after a shutdown.
    if let descriptor {
      var lingering = linger(l_onoff: 1, l_linger: 0)
      setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &lingering, socklen_t(MemoryLayout<linger>.size))
    }
    close()
  }

  /// Takes the connection off this loop, with its unread bytes still in the kernel, and closes the stream here without
  /// telling the peer. No write may be in flight.
  package func detachDescriptor() throws(LoopError) -> SocketDescriptor {
    precondition(!writeInFlight, "a write is in flight: wait for didCompleteWrite before moving the stream")
    guard isOpen, let descriptor else { throw LoopError("dup", code: UV_ENOTCONN.rawValue) }
    let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    guard copy >= 0 else { throw LoopError("dup", code: -errno) }
    close()
    return SocketDescriptor(owning: copy)
  }
}
