/// Memory for frames, keyframes and members' own messages, in size classes of powers of two. One pool a loop; not
/// thread-safe.
///
/// Every buffer has holders (a frame log, a write in flight, an outbox); it goes back to its free list when the last
/// one lets go. `leased` is 0 when nothing is held: an emptied server proves that by it.
package final class BufferPool {
  /// Counts and bytes for the ledger.
  package struct Usage: Equatable, Sendable {
    package var leasedBuffers = 0
    package var leasedBytes = 0
    package var idleBytes = 0
    /// Most bytes ever leased at once.
    package var highWaterBytes = 0

    package init() {}
  }

  /// 64 bytes: an input acknowledgement needs 7.
  static let smallestShift = 6
  /// 4 MiB: a keyframe, its events and what surrounds them.
  static let classes = 17
  /// Idle bytes kept for the next tick; what is above goes back to the allocator at once.
  private let idleLimitBytes: Int
  /// The idle buffers of one size.
  private struct FreeList {
    /// Buffers are chained through themselves, so that lease and release allocate nothing.
    var head: PooledBuffer?
    var count = 0
    /// The fewest there were since ``giveBackUnused()``: so many nobody needed.
    var least = 0
  }

  /// One a class. Not an array: each access to one in an object looks whether it is shared.
  private let free: UnsafeMutablePointer<FreeList>
  @exclusivity(unchecked) package private(set) var usage = Usage()

  package init(idleLimit: ByteCount = .mib(8)) {
    idleLimitBytes = idleLimit.bytes
    free = .allocate(capacity: Self.classes)
    free.initialize(repeating: FreeList(), count: Self.classes)
  }

  deinit {
    trim()
    free.deinitialize(count: Self.classes)
    free.deallocate()
  }

  /// A buffer of at least `minimum` bytes with one holder.
  package func lease(_ minimum: Int) -> PooledBuffer {
    let sizeClass = Self.sizeClass(minimum)
    let buffer: PooledBuffer
    if let idle = takeIdle(sizeClass) {
      free[sizeClass].least = min(free[sizeClass].least, free[sizeClass].count)
      buffer = idle
    } else {
      buffer = PooledBuffer(sizeClass: sizeClass)
    }
    buffer.holders = 1
    buffer.count = 0
    usage.leasedBuffers += 1
    usage.leasedBytes += buffer.capacity
    usage.highWaterBytes = max(usage.highWaterBytes, usage.leasedBytes)
    return buffer
  }

  package func retain(_ buffer: PooledBuffer) {
    precondition(buffer.holders > 0, "a buffer without a holder was retained: it may be in use elsewhere")
    buffer.holders += 1
  }

  package func release(_ buffer: PooledBuffer) {
    precondition(buffer.holders > 0, "a buffer was released once too often: its bytes may be in use elsewhere")
    buffer.holders -= 1
    guard buffer.holders == 0 else { return }
    usage.leasedBuffers -= 1
    usage.leasedBytes -= buffer.capacity
    guard usage.idleBytes + buffer.capacity <= idleLimitBytes else { return }
    let list = free + buffer.sizeClass
    // Moved from place to place, not copied: nothing is counted but the pool's own hold.
    buffer.next = list.pointee.head.take()
    list.pointee.head = buffer
    list.pointee.count += 1
    usage.idleBytes += buffer.capacity
  }

  /// The newest idle buffer of a class, unchained.
  private func takeIdle(_ sizeClass: Int) -> PooledBuffer? {
    let list = free + sizeClass
    guard let buffer = list.pointee.head.take() else { return nil }
    list.pointee.head = buffer.next.take()
    list.pointee.count -= 1
    usage.idleBytes -= buffer.capacity
    return buffer
  }

  /// Gives back the idle buffers that nobody needed since the last call. Called every few seconds it leaves what ticks
  /// use again and again, and nothing of a peak.
  package func giveBackUnused() {
    for index in 0..<Self.classes {
      for _ in 0..<free[index].least { _ = takeIdle(index) }
      free[index].least = free[index].count
    }
  }

  /// Gives all idle memory back to the allocator.
  package func trim() {
    for index in 0..<Self.classes {
      // Unchained one by one: a long chain would be released recursively.
      while takeIdle(index) != nil {}
      free[index].least = 0
    }
  }

  /// The bytes that a lease of `minimum` really takes.
  package static func capacity(for minimum: Int) -> Int { 1 << (sizeClass(minimum) + smallestShift) }

  private static func sizeClass(_ minimum: Int) -> Int {
    precondition(
      minimum <= 1 << (classes - 1 + smallestShift), "no buffer has \(minimum) bytes: a bound was computed wrongly")
    guard minimum > 1 << smallestShift else { return 0 }
    return Int.bitWidth - (minimum - 1).leadingZeroBitCount - smallestShift
  }
}

/// Bytes from a ``BufferPool``; the memory stays where it is for as long as anyone holds it, so that the kernel may
/// read it.
package final class PooledBuffer {
  let memory: UnsafeMutableRawBufferPointer
  let sizeClass: Int
  /// Bytes written.
  @exclusivity(unchecked) package internal(set) var count = 0
  @exclusivity(unchecked) fileprivate(set) var holders = 0
  @exclusivity(unchecked) fileprivate var next: PooledBuffer?

  fileprivate init(sizeClass: Int) {
    self.sizeClass = sizeClass
    memory = .allocate(byteCount: 1 << (sizeClass + BufferPool.smallestShift), alignment: 16)
  }

  deinit {
    memory.deallocate()
  }

  package var capacity: Int { memory.count }

  /// The bytes written; valid while the buffer is held.
  package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

  /// The `size` bytes behind those written, for what is not to become a part of them; the caller has made sure that
  /// they are there.
  func spare(_ size: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(rebasing: memory[count..<(count + size)])
  }

  /// Appends what `body` writes; the caller has made sure that it fits.
  package func write<Failure>(_ body: (inout OutputRawSpan) throws(Failure) -> Void) throws(Failure) {
    let space = UnsafeMutableRawBufferPointer(rebasing: memory[count...])
    var out = OutputRawSpan(buffer: space, initializedCount: 0)
    try body(&out)
    count += out.finalize(for: space)
  }

  /// Appends bytes; the caller has made sure that they fit.
  func append(_ bytes: UnsafeRawBufferPointer) {
    precondition(count + bytes.count <= capacity, "\(bytes.count) bytes do not fit behind \(count) of \(capacity)")
    guard let target = memory.baseAddress, let source = bytes.baseAddress else { return }
    target.advanced(by: count).copyMemory(from: source, byteCount: bytes.count)
    count += bytes.count
  }
}
