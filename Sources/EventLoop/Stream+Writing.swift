import CUV

extension Stream {
  /// Slices one `tryWrite` takes; further ones are left for the next, as after a partial write.
  package static let maximumSlices = 128
  /// Slices one `write` takes: what `uv_write_t` holds without allocating.
  package static let maximumSlicesInFlight = 4

  /// Offers the slices to the kernel, as one `writev`, without allocating. What it didn't take is still the caller's.
  package func tryWrite(_ slices: UnsafeBufferPointer<UnsafeRawBufferPointer>) -> WriteOutcome {
    guard isOpen, let loop else { return .failed(LoopError("write", code: UV_ENOTCONN.rawValue)) }
    if writeInFlight { return .wouldBlock }
    let count = min(slices.count, Stream.maximumSlices)
    for index in 0..<count { loop.writeVector[index] = uv_buf_t(slices[index]) }
    return outcome(uv_try_write(stream, loop.writeVector, UInt32(count)))
  }

  /// `tryWrite` of a single slice.
  package func tryWrite(_ bytes: UnsafeRawBufferPointer) -> WriteOutcome {
    guard isOpen else { return .failed(LoopError("write", code: UV_ENOTCONN.rawValue)) }
    if writeInFlight { return .wouldBlock }
    var buffer = uv_buf_t(bytes)
    return outcome(uv_try_write(stream, &buffer, 1))
  }

  /// Hands the slices (1 to 4) to the loop, which writes them as the peer takes them.
  ///
  /// The bytes must stay where they are until `stream(_:didCompleteWrite:)`, which comes exactly once, never from
  /// within this call, and not at all when this throws. At most one write may be in flight: a bound on memory, not a
  /// queue.
  package func write(_ slices: UnsafeBufferPointer<UnsafeRawBufferPointer>) throws(LoopError) {
    precondition(!writeInFlight, "a write is in flight: wait for didCompleteWrite")
    precondition(
      (1...Stream.maximumSlicesInFlight).contains(slices.count), "write takes 1 to 4 slices, not \(slices.count)")
    guard isOpen, let loop else { throw LoopError("write", code: UV_ENOTCONN.rawValue) }
    for index in slices.indices { loop.writeVector[index] = uv_buf_t(slices[index]) }
    let request = loop.writeRequests.take()
    let result = uv_write(request, stream, loop.writeVector, UInt32(slices.count)) { request, status in
      guard let request, let data = request.pointee.handle?.pointee.data else { return }
      Unmanaged<Stream>.fromOpaque(data).takeUnretainedValue().didWrite(request, status)
    }
    guard result == 0 else {
      loop.writeRequests.giveBack(request)
      throw LoopError("write", code: result)
    }
    writeInFlight = true
  }

  /// `write` of a single slice.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(LoopError) {
    var slice = bytes
    // The buffer of slices itself is read during the call only.
    let failure: LoopError? = withUnsafePointer(to: &slice) { pointer in
      do throws(LoopError) {
        try write(UnsafeBufferPointer(start: pointer, count: 1))
        return nil
      } catch {
        return error
      }
    }
    if let failure { throw failure }
  }

  /// Bytes of the write in flight that the kernel has not taken yet.
  package var pendingWriteBytes: Int { isOpen ? uv_stream_get_write_queue_size(stream) : 0 }

  private func outcome(_ result: Int32) -> WriteOutcome {
    if result >= 0 { return .wrote(Int(result)) }
    if result == UV_EAGAIN.rawValue { return .wouldBlock }
    return .failed(LoopError("write", code: result))
  }

  private func didWrite(_ request: UnsafeMutablePointer<uv_write_t>, _ status: Int32) {
    loop?.writeRequests.giveBack(request)
    writeInFlight = false
    delegate?.stream(self, didCompleteWrite: status == 0 ? nil : LoopError("write", code: status))
  }
}

extension uv_buf_t {
  /// libuv's form of a slice; it only reads through the pointer.
  init(_ bytes: UnsafeRawBufferPointer) {
    self.init(
      base: UnsafeMutablePointer(mutating: bytes.baseAddress?.assumingMemoryBound(to: CChar.self)), len: bytes.count)
  }
}
