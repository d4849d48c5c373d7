import EventLoop
import Testing

@testable import TickServer

@Suite struct RefusalsTests {
  private func address(_ last: Int) throws -> IPAddress {
    try #require(IPAddress("10.0.0.\(last)"))
  }

  @Test("the places of all loops together are few, and no loop is without")
  func most() {
    #expect(Refusals.most(loops: 1) == 32)
    #expect(Refusals.most(loops: 2) == 16)
    #expect(Refusals.most(loops: 256) == 4)
  }

  @Test("the oldest goes for a newcomer, never the newcomer")
  func oldest() throws {
    var refusals = Refusals(loops: 8)
    for slot in 0..<4 { #expect(refusals.enter(slot, from: try address(1)) == nil) }
    #expect(refusals.enter(4, from: try address(1)) == 0)
    #expect(refusals.enter(5, from: try address(1)) == 1)
  }

  @Test("the address that has most gives up its oldest, whoever comes")
  func address() throws {
    var refusals = Refusals(loops: 8)
    #expect(refusals.enter(0, from: try address(1)) == nil)
    for slot in 1..<4 { #expect(refusals.enter(slot, from: try address(2)) == nil) }
    #expect(refusals.enter(4, from: try address(1)) == 1, "two of one, three of the other")
    // Two of each address and one of nobody's: the oldest of those who have most.
    #expect(refusals.enter(5, from: nil) == 0)
  }

  @Test("who has gone by itself leaves its place")
  func leave() throws {
    var refusals = Refusals(loops: 8)
    for slot in 0..<4 { #expect(refusals.enter(slot, from: try address(1)) == nil) }
    refusals.leave(0)
    refusals.leave(99)
    #expect(refusals.enter(4, from: try address(1)) == nil)
    #expect(refusals.enter(0, from: try address(1)) == 1)
  }
}
