/// When the C library's free memory is given back to the system.
///
/// What a crowd leaves is scattered over the C library's heaps, and comes free in steps: connections at once, seats after
/// their grace, rooms when they have lingered. So not the crowd is looked at but the free bytes, and those that came since
/// the last return. Many at once are given back at once. Few wait until no more come: a small block that comes free may
/// have been the last one on its page, and the last 3% of a crowd of 10,000 held a fifth of its pages.
struct MemoryReturn {
  /// Below `manyBytes`, and less than this: not worth the milliseconds.
  static let fewBytes = 64 * 1024
  static let manyBytes = 1024 * 1024
  /// Free bytes that moved by no more between two looks: nobody is leaving.
  static let settledBytes = 16 * 1024

  private var afterReturn = 0
  private var before = 0

  /// At each look; `free` is what the C library holds and nobody uses, returned or not.
  mutating func isDue(freeBytes free: Int) -> Bool {
    // Free bytes that were used again were no waste.
    afterReturn = min(afterReturn, free)
    let came = free - afterReturn
    let moved = abs(free - before)
    before = free
    return came > Self.manyBytes || came > Self.fewBytes && moved <= Self.settledBytes
  }

  /// To be read anew after a return: the top of a heap, once returned, is free no more.
  mutating func returned(freeBytes free: Int) {
    afterReturn = free
    before = free
  }
}
