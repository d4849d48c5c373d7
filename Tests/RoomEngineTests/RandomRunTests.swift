import RoomEngine
import RoomSimulation
import RoomTestKit
import Testing
import WireFormat

/// A few seeds in a debug build; `make simulate` runs thousands, and replays one.
@Suite struct RandomRunTests {
  @Test(arguments: 0..<4)
  func whateverHappensWhatMustHoldHolds(part: UInt64) throws {
    for seed: UInt64 in 1...160 where seed % 4 == part {
      let simulation = try Simulation(seed: seed)
      guard simulation.faults.isEmpty else {
        Issue.record("make simulate SEED=\(seed): \(simulation.faults.prefix(3).joined(separator: "; "))")
        return
      }
    }
  }

  /// A simulation that never lags, skips or resumes would prove nothing.
  @Test func theRunsVisitWhatTheyAreMeantToTest() throws {
    var total = RoomCounters()
    var ends: [CloseReason: Int] = [:]
    for seed: UInt64 in 1...150 {
      let run = try RandomRun(seed: seed)
      run.run()
      total.add(run.room.room.counters)
      ends.merge(run.room.ends) { $0 + $1 }
    }
    #expect(total.skips > 5)
    #expect(total.resumes > 50)
    #expect(total.joins > 300)
    #expect(total.leaves > 150)
    #expect(total.whispersLost > 10)
    #expect(total.inputsDropped > 10)
    for reason: CloseReason in [
      .slowConsumer, .handshakeTimeout, .idle, .kicked, .superseded, .roomClosed, .draining, .peerReset,
      .peerClosed, .writeFailed,
      .ticketUnknown,
    ] { #expect(ends[reason, default: 0] > 0, "no connection ended as \(reason)") }
  }
}
