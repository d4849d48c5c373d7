import Testing

@testable import TickServer

@Suite("When free memory is given back")
struct MemoryReturnTests {
  private let mebibyte = 1024 * 1024

  /// Looks with these free bytes, one after another; a return takes place when it is due and leaves `left` of them.
  private func returns(_ looks: [Int], left: (Int) -> Int = { $0 }) -> [Bool] {
    var policy = MemoryReturn()
    return looks.map { free in
      let isDue = policy.isDue(freeBytes: free)
      if isDue { policy.returned(freeBytes: left(free)) }
      return isDue
    }
  }

  @Test("Much that came free is given back at the next look, once")
  func much() {
    #expect(returns([0, 19 * mebibyte, 19 * mebibyte, 19 * mebibyte]) == [false, true, false, false])
  }

  @Test("The last blocks of a crowd are few, and are given back when no more come")
  func theLastBlocks() {
    let late = 19 * mebibyte + 500 * 1024
    #expect(
      returns([0, 19 * mebibyte, late - 100 * 1024, late, late, late]) == [false, true, false, false, true, false])
  }

  @Test("While memory is used and freed all the time, little is not worth a return")
  func restless() {
    let looks = (0..<50).map { $0 % 2 == 0 ? 200 * 1024 : 500 * 1024 }
    #expect(!returns(looks).contains(true))
  }

  @Test("Less than few bytes are never given back, however long they are free")
  func nextToNothing() {
    #expect(!returns(Array(repeating: MemoryReturn.fewBytes, count: 20)).contains(true))
  }

  @Test("What was used again counts when it comes free the next time")
  func usedAgain() {
    #expect(returns([2 * mebibyte, mebibyte / 2, 2 * mebibyte]) == [true, false, true])
  }

  @Test("A heap that shrank by the return does not hide what comes free after it")
  func shrunk() {
    #expect(returns([7 * mebibyte, 6 * mebibyte], left: { _ in mebibyte / 4 }) == [true, true])
  }
}
