import Testing
import WireFormat

@testable import RoomEngine

@Suite struct RingTests {
  @Test func itKeepsOrderAroundTheEndAndThroughGrowth() {
    var ring = Ring<Int>(reserving: 2)
    var model: [Int] = []
    for number in 0..<200 {
      ring.append(number)
      model.append(number)
      if number % 3 != 0 {
        let (popped, expected) = (ring.popFirst(), model.removeFirst())
        #expect(popped == expected)
      }
      #expect((0..<ring.count).map { ring[$0] } == model)
      #expect(ring.first == model.first)
    }
    while let first = ring.popFirst() {
      let expected = model.removeFirst()
      #expect(first == expected)
    }
    #expect(ring.isEmpty && model.isEmpty)
  }
}
