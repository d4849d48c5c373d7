/// Where the standings of a loop's connections lie: on few pages, each in a cache line of its own.
///
/// A tick looks at one standing after the other, with a system call between, which leaves little in the caches. What then
/// takes time is less the line, which is asked for ahead, than to find where its page is: standings allocated one by one
/// have a page each (decision 21).
///
/// Pages are given back when nobody stands on them any more, but for one. Confined to the loop.
package final class StandingStore {
  /// The first line of a page, before its standings.
  private struct Head {
    /// One bit for each line that is not free; the head's own is always set.
    var taken: UInt64
    /// Its place in ``pages``.
    var index: Int
  }

  /// Bytes of a page: what the processor finds at once.
  package static let pageBytes = 4096
  /// Bytes of a line, which no two standings share.
  package static let lineBytes = 64
  private static let allTaken = UInt64.max

  /// First those that are full.
  private var pages: [UnsafeMutablePointer<Head>] = []
  /// How many of them.
  private var full = 0

  package init() {
    precondition(MemoryLayout<Standing>.size <= Self.lineBytes && MemoryLayout<Head>.size <= Self.lineBytes)
  }

  deinit {
    for page in pages { page.deallocate() }
  }

  /// Bytes that it holds.
  package var bytes: Int { pages.count * Self.pageBytes }

  /// Room for one standing, until it is given back.
  func take() -> UnsafeMutablePointer<Standing> {
    if full == pages.count { addPage() }
    let page = pages[full]
    let line = (~page.pointee.taken).trailingZeroBitCount
    page.pointee.taken |= 1 << UInt64(line)
    if page.pointee.taken == Self.allTaken { full += 1 }
    return (UnsafeMutableRawPointer(page) + line * Self.lineBytes).bindMemory(to: Standing.self, capacity: 1)
  }

  func giveBack(_ standing: UnsafeMutablePointer<Standing>) {
    let address = UInt(bitPattern: standing)
    let offset = address % UInt(Self.pageBytes)
    let page = (UnsafeMutableRawPointer(standing) - Int(offset)).assumingMemoryBound(to: Head.self)
    if page.pointee.taken == Self.allTaken {
      full -= 1
      swapPages(page.pointee.index, full)
    }
    page.pointee.taken &= ~(1 << UInt64(offset / UInt(Self.lineBytes)))
    // One with room is kept for the next to come.
    if page.pointee.taken == 1, pages.count - full > 1 { remove(page) }
  }

  private func addPage() {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: Self.pageBytes, alignment: Self.pageBytes)
    let page = memory.bindMemory(to: Head.self, capacity: 1)
    page.initialize(to: Head(taken: 1, index: pages.count))
    pages.append(page)
  }

  private func remove(_ page: UnsafeMutablePointer<Head>) {
    swapPages(page.pointee.index, pages.count - 1)
    pages.removeLast()
    page.deallocate()
  }

  private func swapPages(_ one: Int, _ other: Int) {
    pages.swapAt(one, other)
    pages[one].pointee.index = one
    pages[other].pointee.index = other
  }
}
