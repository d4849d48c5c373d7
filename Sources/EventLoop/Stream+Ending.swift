import CUV
import Glibc

/// The ways a stream ends.
///
/// One rule holds for all of them: a socket with bytes that have not left is closed by a reset only. After a plain
/// `close(2)` the kernel would keep them without a descriptor, for as long as the peer answers its probes.
extension Stream {
  /// Bytes that the kernel holds because the peer has not acknowledged them, a FIN counting as one; 0 once the connection
  /// is gone. A system call.
  package var unsentBytes: Int { socket?.unsentBytes ?? 0 }

  /// The orderly end for an owner that bounds it: sends FIN after what the kernel holds, discards what the peer still
  /// sends, and tells the delegate when the peer ends too. No write may be in flight.
  ///
  /// The stream stays open until `close()`. Closing it with unread input would make the kernel send a reset, which can
  /// destroy a goodbye before the peer reads it; closing it before ``unsentBytes`` is 0 resets as well.
  package func finish() {
    precondition(!writeInFlight, "a write is in flight: wait for didCompleteWrite, or reset")
    guard let socket, ending == .none else { return }
    ending = .told
    // Fails only for a connection that is gone, which the read tells.
    shutdown(socket.rawValue, Int32(SHUT_WR))
    if !peerHasEnded { startReading() }
  }

  /// The orderly end by itself: after the write in flight sends FIN, discards what the peer still sends, and closes when
  /// the peer has ended too and has acknowledged everything.
  ///
  /// A peer that never does keeps the stream open: bound it with a timer that calls `close()` or `reset()`.
  package func closeAfterFlush() {
    guard isOpen, ending == .none else { return }
    ending = .byItself
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

  /// The peer has ended: closes now, or once it has acknowledged everything.
  func closeOnceSent() {
    guard isOpen else { return }
    if unsentBytes == 0 { return close() }
    if acknowledgement == nil, let loop {
      acknowledgement = try? Timer(loop: loop) { [unowned self] in closeOnceSent() }
    }
    guard let acknowledgement else { return close() }
    acknowledgement.start(afterMilliseconds: Stream.acknowledgementMilliseconds)
  }

  /// Between two looks at whether a peer that has ended has acknowledged the last bytes; nothing tells.
  private static let acknowledgementMilliseconds: UInt64 = 20

  /// Tears the connection down: the kernel forgets what it has not sent, gives its memory back at once and sends RST.
  package func reset() {
    // Not uv_tcp_close_reset, which refuses after a shutdown.
    socket?.resetOnClose()
    close()
  }

  /// Closes the stream of a peer that has acknowledged every byte and was told to end (by `finish()`), but has not: the
  /// kernel waits in our place, for so many seconds at most. It holds no bytes meanwhile, at most the FIN. What the peer has
  /// sent is discarded: unread, it would make the close a reset. So does a byte that is not acknowledged.
  package func closeLeavingWait(toKernel seconds: Int32) {
    guard let socket else { return }
    socket.set(Int32(IPPROTO_TCP), TCP_LINGER2, seconds)
    // Until the FIN is acknowledged.
    socket.set(Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, 1000 * seconds)
    if let loop { while recv(socket.rawValue, loop.readBuffer.baseAddress, loop.readBuffer.count, 0) > 0 {} }
    endsPlainly = socket.unsentBytes <= Stream.finBytes
    close()
  }

  /// What a FIN counts in ``unsentBytes``.
  private static let finBytes = 1

  /// Takes the connection off this loop, with its unread bytes still in the kernel, and closes the stream here without
  /// telling the peer. No write may be in flight.
  ///
  /// - Parameter handOver: Gets the connection; when it returns false the connection stays on this stream.
  package func detach(handingOver handOver: (SocketDescriptor) -> Bool) throws(LoopError) -> Bool {
    precondition(!writeInFlight, "a write is in flight: wait for didCompleteWrite before moving the stream")
    guard let socket else { throw LoopError("dup", code: UV_ENOTCONN.rawValue) }
    let copy = fcntl(socket.rawValue, F_DUPFD_CLOEXEC, 0)
    guard copy >= 0 else { throw LoopError("dup", code: -errno) }
    guard handOver(SocketDescriptor(owning: copy)) else {
      // One of two descriptors of the connection: it ends nothing.
      _ = Glibc.close(copy)
      return false
    }
    endsPlainly = true
    close()
    return true
  }
}
