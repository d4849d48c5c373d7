import CPrefetch
import CUV

/// What the delegate of a stream is about to look at when something was read: it is fetched into the processor's caches
/// while the kernel copies the bytes. At thousands of streams nothing of it is there, and each look would wait for memory.
///
/// Only a hint: an address is never followed by us, so what it pointed to may be gone.
struct ReadAhead {
  typealias Region = (address: UnsafeMutableRawPointer?, bytes: UInt)

  /// Where a stream keeps its own: behind libuv's part of it, which libuv has just looked at.
  static let offset = (MemoryLayout<uv_tcp_t>.size + 15) & ~15

  /// Of libuv's part and ours together.
  static let handleBytes = offset + MemoryLayout<ReadAhead>.size

  private var regions = InlineArray<3, Region>(repeating: (nil, 0))

  /// Begins a stream's own, with no regions.
  static func begin(_ handle: UnsafeMutablePointer<uv_handle_t>) {
    precondition(uv_handle_size(UV_TCP) <= offset, "libuv's streams are larger than its header says")
    of(handle).initialize(to: ReadAhead())
  }

  static func of(_ handle: UnsafeMutablePointer<uv_handle_t>) -> UnsafeMutablePointer<ReadAhead> {
    (UnsafeMutableRawPointer(handle) + offset).assumingMemoryBound(to: ReadAhead.self)
  }

  mutating func set(_ index: Int, _ object: AnyObject?) {
    regions[index] = (nil, 0)
    guard let object else { return }
    let address = Unmanaged.passUnretained(object).toOpaque()
    regions[index] = (address, UInt(malloc_usable_size(address)))
  }

  func fetch() {
    for index in regions.indices { prefetch_all_for_write(regions[index].address, regions[index].bytes) }
  }
}
