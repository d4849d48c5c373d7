import CUV
import Glibc

extension Stream {
  /// Slices one `tryWrite` takes; further ones are left for the next, as after a partial write.
  package static let maximumSlices = 128
  /// Slices one `write` takes: what `uv_write_t` holds without allocating.
  package static let maximumSlicesInFlight = 4

  /// Offers the slices to the kernel without allocating, as one `writev` or in parts of ``mostOfferedBytes``. What it
  /// didn't take is still the caller's.
  package func tryWrite(_ slices: UnsafeBufferPointer<UnsafeRawBufferPointer>) -> WriteOutcome {
    guard isOpen, let loop else { return .failed(LoopError("write", code: UV_ENOTCONN.rawValue)) }
    if writeInFlight { return .wouldBlock }
    if mostOfferedBytes < .max { return offer(slices, loop) }
    let count = min(slices.count, Stream.maximumSlices)
    for index in 0..<count { loop.writeVector[index] = uv_buf_t(slices[index]) }
    return outcome(uv_try_write(stream, loop.writeVector, UInt32(count)))
  }

  /// `tryWrite` of a single slice.
  package func tryWrite(_ bytes: UnsafeRawBufferPointer) -> WriteOutcome {
    var slice = bytes
    // The buffer of slices itself is read during the call only.
    return withUnsafePointer(to: &slice) { tryWrite(UnsafeBufferPointer(start: $0, count: 1)) }
  }

  /// Offers slices past libuv, each part ended by itself: see `tickserver_send`.
  private func offer(_ slices: UnsafeBufferPointer<UnsafeRawBufferPointer>, _ loop: Loop) -> WriteOutcome {
    guard let descriptor else { return .failed(LoopError("write", code: UV_ENOTCONN.rawValue)) }
    var (index, offset, sum) = (0, 0, 0)
    while index < slices.count {
      var (pieces, bytes) = (0, 0)
      while index < slices.count, pieces < Stream.maximumSlices, bytes < mostOfferedBytes {
        let left = slices[index][offset...]
        let piece = UnsafeRawBufferPointer(rebasing: left.prefix(mostOfferedBytes - bytes))
        if !piece.isEmpty {
          loop.writeVector[pieces] = uv_buf_t(piece)
          pieces += 1
          bytes += piece.count
        }
        (index, offset) = piece.count == left.count ? (index + 1, 0) : (index, offset + piece.count)
      }
      guard bytes > 0 else { break }
      // libuv's buffers are the system's.
      let taken = tickserver_send_pieces(descriptor, loop.writeVector, pieces)
      if taken == -Int(EINTR) || taken == -Int(EAGAIN) || taken == -Int(ENOBUFS) { break }
      if taken < 0 {
        // After a part of it the next write tells.
        return sum > 0 ? .wrote(sum) : .failed(LoopError("write", code: Int32(taken)))
      }
      sum += taken
      if taken < bytes { break }
    }
    return sum > 0 ? .wrote(sum) : .wouldBlock
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
    guard isOpen else { throw LoopError("write", code: UV_ENOTCONN.rawValue) }
    if mostOfferedBytes == .max {
      try hand(slices)
    } else {
      writeRest = WriteRest(slices)
      try handFront()
    }
    writeInFlight = true
  }

  /// Bytes that libuv gets to wait with until the socket takes more. It does not end its segment: small, since what is
  /// offered next may be put into the same.
  private static let waitingBytes = 512

  private func handFront() throws(LoopError) {
    var front = writeRest.front(Stream.waitingBytes)
    writeRest.drop(front.count)
    let failure: LoopError? = withUnsafePointer(to: &front) { pointer in
      do throws(LoopError) {
        try hand(UnsafeBufferPointer(start: pointer, count: 1))
        return nil
      } catch {
        return error
      }
    }
    if let failure { throw failure }
  }

  private func hand(_ slices: UnsafeBufferPointer<UnsafeRawBufferPointer>) throws(LoopError) {
    guard let loop else { throw LoopError("write", code: UV_ENOTCONN.rawValue) }
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
  package var pendingWriteBytes: Int { isOpen ? uv_stream_get_write_queue_size(stream) + writeRest.bytes : 0 }

  private func outcome(_ result: Int32) -> WriteOutcome {
    if result >= 0 { return .wrote(Int(result)) }
    if result == UV_EAGAIN.rawValue { return .wouldBlock }
    return .failed(LoopError("write", code: result))
  }

  private func didWrite(_ request: UnsafeMutablePointer<uv_write_t>, _ status: Int32) {
    loop?.writeRequests.giveBack(request)
    var error = status == 0 ? nil : LoopError("write", code: status)
    if error == nil, writeRest.bytes > 0 {
      do throws(LoopError) {
        guard try goOn() else { return }
      } catch let failure {
        error = failure
      }
    }
    writeRest = WriteRest()
    writeInFlight = false
    delegate?.stream(self, didCompleteWrite: error)
  }

  /// Offers the rest of the write in flight.
  ///
  /// - Returns: whether the kernel has taken all of it; otherwise libuv waits again.
  private func goOn() throws(LoopError) -> Bool {
    guard isOpen, let loop else { throw LoopError("write", code: UV_ENOTCONN.rawValue) }
    switch writeRest.withSlices({ offer($0, loop) }) {
    case .wrote(let count): writeRest.drop(count)
    case .wouldBlock: break
    case .failed(let error): throw error
    }
    if writeRest.bytes == 0 { return true }
    try handFront()
    return false
  }
}

extension uv_buf_t {
  /// libuv's form of a slice; it only reads through the pointer.
  init(_ bytes: UnsafeRawBufferPointer) {
    self.init(
      base: UnsafeMutablePointer(mutating: bytes.baseAddress?.assumingMemoryBound(to: CChar.self)), len: bytes.count)
  }
}
