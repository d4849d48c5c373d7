public import CUV
import Glibc

/// A stream as the loop over all members of a room sees it: a place to write to, without reference counting and without
/// a look at libuv's part of it, which at thousands of members would be in no cache.
///
/// It keeps nothing alive: whoever keeps the stream lets go of its outlets before it ends, or frames go to whatever has
/// its descriptor next.
///
/// Public for what it does alone: Swift inlines no `package` function that calls C into another module.
public struct StreamOutlet {
  @usableFromInline let descriptor: Int32
  /// See ``Stream/mostOfferedBytes``.
  @usableFromInline let mostBytes: Int32
  @usableFromInline let handle: UnsafeMutablePointer<uv_handle_t>

  /// Nil for a stream that is not open.
  package init?(_ stream: Stream) {
    guard let descriptor = stream.descriptor else { return nil }
    self.descriptor = descriptor
    mostBytes = Int32(clamping: stream.mostOfferedBytes)
    handle = stream.raw
  }

  /// Offers bytes to the socket, which has no write in flight.
  ///
  /// `send`, where libuv has `write`: what the kernel does for files on the way to the socket is spared.
  ///
  /// - Returns: how many bytes the kernel took, 0 when its buffer is full; below 0 for errors.
  @inlinable
  @inline(__always)
  public func offer(_ bytes: UnsafeRawBufferPointer) -> Int {
    assert(isCurrent, "an outlet has outlived its stream")
    guard bytes.count <= Int(mostBytes) else { return offerInParts(bytes) }
    let taken = tickserver_send(descriptor, bytes.baseAddress, bytes.count)
    return taken >= 0 ? taken : Self.untaken(taken)
  }

  /// A frame that is larger than one offer may be.
  @usableFromInline
  func offerInParts(_ bytes: UnsafeRawBufferPointer) -> Int {
    var sum = 0
    while sum < bytes.count {
      let part = UnsafeRawBufferPointer(rebasing: bytes[sum..<min(bytes.count, sum + Int(mostBytes))])
      let taken = tickserver_send(descriptor, part.baseAddress, part.count)
      // An error after a part is told by the next write.
      guard taken > 0 else { return sum > 0 ? sum : Self.untaken(taken) }
      sum += taken
      if taken < part.count { break }
    }
    return sum
  }

  @usableFromInline var isCurrent: Bool {
    var number: uv_os_fd_t = -1
    return uv_fileno(handle, &number) == 0 && number == descriptor
  }

  /// What a failed call comes to: a signal that interrupts it is as a full buffer, the next write tells more.
  @usableFromInline
  static func untaken(_ code: Int) -> Int { [EAGAIN, ENOBUFS, EINTR].contains(Int32(-code)) ? 0 : code }
}
