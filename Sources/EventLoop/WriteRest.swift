/// What is left of a write: up to four slices, cut from the front as the kernel takes them.
struct WriteRest {
  private var slices = InlineArray<4, UnsafeRawBufferPointer>(repeating: UnsafeRawBufferPointer(start: nil, count: 0))
  private var first = 0
  private var end = 0
  private(set) var bytes = 0

  init() {}

  init(_ slices: UnsafeBufferPointer<UnsafeRawBufferPointer>) {
    for slice in slices where !slice.isEmpty {
      self.slices[end] = slice
      end += 1
      bytes += slice.count
    }
  }

  /// Its first bytes, in one piece of at most `most`; empty at the end.
  func front(_ most: Int) -> UnsafeRawBufferPointer {
    guard first < end else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(rebasing: slices[first].prefix(most))
  }

  mutating func drop(_ count: Int) {
    var left = count
    while left > 0, first < end {
      let size = slices[first].count
      if left < size {
        slices[first] = UnsafeRawBufferPointer(rebasing: slices[first][left...])
        break
      }
      left -= size
      first += 1
    }
    bytes -= count
  }

  func withSlices<Result>(_ body: (UnsafeBufferPointer<UnsafeRawBufferPointer>) -> Result) -> Result {
    slices.span.extracting(first..<end).withUnsafeBufferPointer(body)
  }
}
