import ClientCore
import RoomTestKit
import Testing
import WireFormat

@testable import RoomEngine

/// A backlog of events delays nobody else, nor its sender's own inputs.
@Suite struct EventShareTests {
  private static let large = [UInt8](repeating: 1, count: 1020)

  /// Eight who raise as much as they may, and one who raises one event and goes on moving.
  /// Bytes that each gets of 100, of events of these sizes.
  @Test(arguments: [
    ([[60], [40]], [60, 40]), ([[101]], [0]), ([[10], [50, 50, 50]], [10, 50]),
    ([[30, 30], [30, 30], [30]], [30, 30, 30]), ([[10, 10, 10, 10, 10, 10, 10], [60, 60]], [40, 60]),
    ([[90], [5, 5, 5, 5]], [90, 10]), ([], []),
  ])
  func eachEventGoesToWhoHasHadLeast(sizes: [[Int]], expected: [Int]) {
    var queues = sizes.map { EventShares.Queue(served: 0, sizes: $0) }
    EventShares.share(100, among: &queues)
    #expect(queues.map(\.allowed) == expected)
  }

  @Test func whoHadLessBeforeIsFirst() {
    var queues = [EventShares.Queue(served: 60, sizes: [60]), EventShares.Queue(served: 0, sizes: [60])]
    EventShares.share(100, among: &queues)
    #expect(queues.map(\.allowed) == [0, 60])
    #expect(queues.map(\.served) == [0, 0], "what counts is the difference to those who still wait")
  }
}
