import CUV
import Glibc

/// Bytes of kernel memory a socket may use, each way.
package struct SocketBufferSizes: Hashable, Sendable {
  package var sendBytes: Int
  package var receiveBytes: Int

  package init(sendBytes: Int, receiveBytes: Int) {
    self.sendBytes = sendBytes
    self.receiveBytes = receiveBytes
  }
}

extension SocketBufferSizes {
  /// The most that a socket can ask for and get: half of what Linux books for it (`net.core.wmem_max` and `rmem_max`, which
  /// a network namespace of its own does not show on older kernels). Nil when the system gives no socket.
  package static func most() -> SocketBufferSizes? {
    let probe = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard probe >= 0 else { return nil }
    defer { close(probe) }
    func granted(_ option: Int32) -> Int? {
      // As much as the kernel can double.
      var value = Int32.max / 2
      var size = socklen_t(MemoryLayout<Int32>.size)
      guard setsockopt(probe, SOL_SOCKET, option, &value, size) == 0,
        getsockopt(probe, SOL_SOCKET, option, &value, &size) == 0, value > 0
      else { return nil }
      return Int(value) / 2
    }
    guard let send = granted(SO_SNDBUF), let receive = granted(SO_RCVBUF) else { return nil }
    return SocketBufferSizes(sendBytes: send, receiveBytes: receive)
  }
}

extension Stream {
  /// Sets the kernel's buffers and returns what it made of them: Linux doubles the number for its own book-keeping, and
  /// clamps it to `net.core.wmem_max` and `rmem_max`. What it returns is what a memory plan must count. Nil leaves one
  /// alone.
  package func setBufferSizes(sendBytes: Int?, receiveBytes: Int?) throws(LoopError) -> SocketBufferSizes {
    guard isOpen else { throw LoopError("setsockopt", code: UV_ENOTCONN.rawValue) }
    if let sendBytes {
      var value = Int32(clamping: max(1, sendBytes))
      try LoopError.check(uv_send_buffer_size(raw, &value), "setsockopt", "SO_SNDBUF \(sendBytes)")
    }
    if let receiveBytes {
      var value = Int32(clamping: max(1, receiveBytes))
      try LoopError.check(uv_recv_buffer_size(raw, &value), "setsockopt", "SO_RCVBUF \(receiveBytes)")
    }
    return try bufferSizes()
  }

  /// What the kernel's buffers are now.
  package func bufferSizes() throws(LoopError) -> SocketBufferSizes {
    guard isOpen else { throw LoopError("getsockopt", code: UV_ENOTCONN.rawValue) }
    // libuv reads when asked to set 0.
    var send: Int32 = 0
    var receive: Int32 = 0
    try LoopError.check(uv_send_buffer_size(raw, &send), "getsockopt", "SO_SNDBUF")
    try LoopError.check(uv_recv_buffer_size(raw, &receive), "getsockopt", "SO_RCVBUF")
    return SocketBufferSizes(sendBytes: Int(send), receiveBytes: Int(receive))
  }

  /// Sends small writes at once instead of waiting for the peer's acknowledgement. On for every accepted and connected
  /// stream.
  package func setNoDelay(_ enabled: Bool) throws(LoopError) {
    guard isOpen else { throw LoopError("setsockopt", code: UV_ENOTCONN.rawValue) }
    try LoopError.check(uv_tcp_nodelay(tcp, enabled ? 1 : 0), "setsockopt", "TCP_NODELAY")
  }

  /// Lets so many bytes wait in the kernel before the delegate is told (SO_RCVLOWAT); 1 is how a stream begins. The end of
  /// the stream is told at once all the same. A ``StreamIntake`` takes what waits.
  ///
  /// The kernel tells earlier when half of its buffer is full.
  ///
  /// - Returns: whether the kernel does so.
  package func setLowWaterMark(bytes: Int) -> Bool {
    guard isOpen, let descriptor else { return false }
    var value = Int32(clamping: max(1, bytes))
    return setsockopt(descriptor, SOL_SOCKET, SO_RCVLOWAT, &value, socklen_t(MemoryLayout<Int32>.size)) == 0
  }
}
