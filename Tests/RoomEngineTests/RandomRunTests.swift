import Foundation
import Testing

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
}
