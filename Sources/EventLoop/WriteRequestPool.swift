import CUV

/// The loop's spare `uv_write_t`: a stream takes one while its single write is in flight, so that a blocked connection
/// costs 192 bytes only while it is blocked, and no allocation in steady state.
///
/// Spare requests are chained through their own `data` field.
final class WriteRequestPool {
  /// Kept after a peak; what comes back above it is freed (1,024 requests are 192 KiB).
  static let maximumSpare = 1_024

  private var firstSpare: UnsafeMutablePointer<uv_write_t>?
  private(set) var spareCount = 0
  private(set) var leasedCount = 0

  deinit { removeAll() }

  func take() -> UnsafeMutablePointer<uv_write_t> {
    leasedCount += 1
    guard let request = firstSpare else {
      let request = UnsafeMutablePointer<uv_write_t>.allocate(capacity: 1)
      request.initialize(to: uv_write_t())
      return request
    }
    firstSpare = request.pointee.data?.assumingMemoryBound(to: uv_write_t.self)
    spareCount -= 1
    return request
  }

  func giveBack(_ request: UnsafeMutablePointer<uv_write_t>) {
    leasedCount -= 1
    guard spareCount < WriteRequestPool.maximumSpare else { return request.deallocate() }
    request.pointee.data = UnsafeMutableRawPointer(firstSpare)
    firstSpare = request
    spareCount += 1
  }

  func removeAll() {
    while let request = firstSpare {
      firstSpare = request.pointee.data?.assumingMemoryBound(to: uv_write_t.self)
      request.deallocate()
    }
    spareCount = 0
  }
}
