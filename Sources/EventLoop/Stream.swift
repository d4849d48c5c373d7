import CUV
import Glibc

/// A connected TCP stream, accepted, connected or adopted from another loop. Confined to its loop's thread.
///
/// The delegate is held strongly until the stream has closed: owner and stream keep each other, `close()` parts them.
package final class Stream: LoopHandle {
  @exclusivity(unchecked) package var delegate: (any StreamDelegate)?

  /// Where the peer is, as seen when the stream was set up; nil only if it was gone by then.
  package private(set) var peerAddress: SocketAddress?

  @exclusivity(unchecked) package internal(set) var writeInFlight = false
  /// Most bytes that the kernel is offered at once; `Int.max` leaves it to the kernel.
  ///
  /// The kernel looks whether the send buffer has room, and then takes what it is offered whole: with this it holds no
  /// more than the buffer and one such offer.
  package var mostOfferedBytes = Int.max
  /// What of the write in flight libuv does not have yet.
  var writeRest = WriteRest()
  /// How the stream is being ended while it is open: input is discarded.
  enum Ending {
    case none
    /// By `finish()`: the delegate is told of the peer's end.
    case told
    /// By `closeAfterFlush()`: the stream closes by itself.
    case byItself
  }
  @exclusivity(unchecked) var ending = Ending.none
  /// Nothing more will be read.
  @exclusivity(unchecked) var peerHasEnded = false
  /// The close needs no reset: the connection lives on elsewhere, or nothing but its FIN is unsent.
  var endsPlainly = false
  /// For ``closeOnceSent()``.
  var acknowledgement: Timer?

  /// Takes over a connected socket, and closes it should that fail. `peerAddress` spares asking the kernel when known.
  package init(
    adopting descriptor: SocketDescriptor, loop: Loop, peerAddress: SocketAddress? = nil
  ) throws(LoopError) {
    super.init(UV_TCP, bytes: ReadAhead.handleBytes, loop: loop, gauge: \.streams)
    ReadAhead.begin(raw)
    do throws(LoopError) {
      try open("uv_tcp_init") { [tcp] loop in uv_tcp_init(loop, tcp) }
    } catch {
      descriptor.close()
      throw error
    }
    let result = uv_tcp_open(tcp, descriptor.rawValue)
    guard result == 0 else {
      descriptor.close()
      close()
      throw LoopError("uv_tcp_open", code: result)
    }
    self.peerAddress = peerAddress ?? queryPeerAddress()
  }

  /// An unconnected socket of the given family, for `ConnectAttempt`.
  init(unconnectedOn loop: Loop, family: Int32) throws(LoopError) {
    super.init(UV_TCP, bytes: ReadAhead.handleBytes, loop: loop, gauge: \.streams)
    ReadAhead.begin(raw)
    try open("socket") { [tcp] loop in uv_tcp_init_ex(loop, tcp, UInt32(family)) }
  }

  var tcp: UnsafeMutablePointer<uv_tcp_t> { pointer(as: uv_tcp_t.self) }
  var stream: UnsafeMutablePointer<uv_stream_t> { pointer(as: uv_stream_t.self) }

  /// The socket, while open.
  package var descriptor: Int32? {
    var number: uv_os_fd_t = -1
    return uv_fileno(raw, &number) == 0 ? number : nil
  }

  /// The same, with what is asked of it; the stream owns it.
  var socket: SocketDescriptor? { descriptor.map { SocketDescriptor(owning: $0) } }

  func didConnect() {
    peerAddress = queryPeerAddress()
  }

  /// Names an object, one of three, that the delegate will look at whenever something was read, for the time that it is
  /// so: see ``ReadAhead``. It is not kept alive.
  package func willRead(_ index: Int, _ object: AnyObject?) { ReadAhead.of(raw).pointee.set(index, object) }

  /// Delivers what arrives to the delegate, until `stopReading()`. Nothing happens when it already does, or after the
  /// end.
  package func startReading() {
    guard isOpen else { return }
    uv_read_start(
      stream,
      { handle, _, buffer in
        guard let handle, let shared = handle.pointee.loop.pointee.data else { return }
        // The read comes next.
        ReadAhead.of(handle).pointee.fetch()
        buffer?.pointee = shared.assumingMemoryBound(to: uv_buf_t.self).pointee
      },
      { handle, count, buffer in
        guard let data = handle?.pointee.data else { return }
        // Held by libuv until the close callback, which never comes from within this one.
        Unmanaged<Stream>.fromOpaque(data)._withUnsafeGuaranteedRef {
          $0.didRead(count, from: UnsafeRawPointer(buffer?.pointee.base))
        }
      })
  }

  /// Leaves what arrives in the kernel, which in time makes the peer wait.
  package func stopReading() {
    if isOpen { uv_read_stop(stream) }
  }

  /// What reading past libuv, through a ``StreamIntake``, failed with: the end of the stream for the delegate as for a read
  /// of libuv's. The socket has told it, and does not tell it again.
  package func readFailed(_ code: Int) {
    precondition(code < 0, "a read that failed has a code below 0, not \(code)")
    didRead(code, from: nil)
  }

  private func didRead(_ count: Int, from base: UnsafeRawPointer?) {
    // A read of 0 is EAGAIN in disguise.
    guard count != 0, isOpen else { return }
    if count > 0 {
      guard ending == .none else { return }
      delegate?.stream(self, didRead: UnsafeRawBufferPointer(start: base, count: count))
      return
    }
    uv_read_stop(stream)
    peerHasEnded = true
    if ending == .byItself { return closeOnceSent() }
    switch Int32(count) {
    case UV_EOF.rawValue: delegate?.streamDidEnd(self, wasReset ? .reset : .endOfStream)
    case UV_ECONNRESET.rawValue: delegate?.streamDidEnd(self, .reset)
    default: delegate?.streamDidEnd(self, .error(LoopError("read", code: Int32(count))))
    }
  }

  /// libuv tells a reset that comes together with the last bytes as an end of stream; the socket still knows.
  private var wasReset: Bool {
    guard let descriptor else { return false }
    var error: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == ECONNRESET
  }

  /// Whether the peer has ended the connection, which may be known before all that it sent is read.
  package var peerHasShutDown: Bool {
    guard let descriptor else { return true }
    // The first byte of the kernel's answer.
    var state: UInt8 = 0
    var size = socklen_t(1)
    let established: UInt8 = 1
    return getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, &state, &size) == 0 && state != established
  }

  private func queryPeerAddress() -> SocketAddress? {
    guard let descriptor else { return nil }
    return sockaddr_storage.filled { address, count in getpeername(descriptor, address, count) }
      .flatMap { SocketAddress($0) }
  }

  override func willClose() {
    acknowledgement?.close()
    acknowledgement = nil
    if !endsPlainly, let socket, socket.unsentBytes > 0 { socket.resetOnClose() }
  }

  override func didClose() {
    let delegate = self.delegate
    self.delegate = nil
    delegate?.streamDidClose(self)
  }
}
