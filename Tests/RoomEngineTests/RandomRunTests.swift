import Foundation
import RoomEngine
import RoomTestKit
import Testing
import WireFormat

/// `SEED=n` replays one run, `SEEDS=n` makes more of them.
@Suite struct RandomRunTests {
  static let seeds: Range<UInt64> = {
    let environment = ProcessInfo.processInfo.environment
    if let one = environment["SEED"].flatMap({ UInt64($0) }) { return one..<(one + 1) }
    return 1..<((environment["SEEDS"].flatMap { UInt64($0) } ?? 2000) + 1)
  }()
  /// Runs are split into as many tests as there usually are cores.
  static let parts: UInt64 = 4

  @Test(arguments: 0..<parts)
  func whateverHappensTheBooksBalanceAndNothingReliableIsLost(part: UInt64) throws {
    for seed in Self.seeds where seed % Self.parts == part {
      let run = try RandomRun(seed: seed)
      run.run()
      guard run.faults.isEmpty else {
        Issue.record("SEED=\(seed): \(run.faults.prefix(3).joined(separator: "; "))")
        return
      }
    }
  }

  /// A simulation that never lags, skips or resumes would prove nothing.
  @Test func theRunsVisitWhatTheyAreMeantToTest() throws {
    var total = RoomCounters()
    var ends: [CloseReason: Int] = [:]
    for seed: UInt64 in 1...300 {
      let run = try RandomRun(seed: seed)
      run.run()
      total.add(run.room.room.counters)
      ends.merge(run.room.ends) { $0 + $1 }
    }
    #expect(total.skips > 20)
    #expect(total.resumes > 100)
    #expect(total.joins > 600)
    #expect(total.leaves > 300)
    #expect(total.whispersLost > 20)
    for reason: CloseReason in [
      .slowConsumer, .kicked, .superseded, .roomClosed, .peerReset, .peerClosed, .ticketUnknown, .ticketStale,
    ] { #expect(ends[reason, default: 0] > 0, "no connection ended as \(reason)") }
  }
}
