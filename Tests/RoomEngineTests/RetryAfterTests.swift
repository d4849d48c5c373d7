import Testing
import WireFormat

@testable import RoomEngine

@Suite struct RetryAfterTests {
  private static let second: UInt64 = 1_000_000_000

  /// What a thousand clients are told that draw evenly, in order.
  private func told(_ reason: CloseReason, drain: UInt64 = 5 * second) -> [UInt32] {
    (0..<1000).compactMap { index in
      RetryAfter.milliseconds(reason, share: Double(index) / 999, drainNanoseconds: drain)
    }
  }

  @Test(arguments: CloseReason.allCases)
  func whatPassesByItselfSaysWhen(reason: CloseReason) {
    let passes: Set<CloseReason> = [.draining, .connectionLimit, .overBudget, .rateLimited]
    #expect(told(reason).count == (passes.contains(reason) ? 1000 : 0))
  }

  @Test(arguments: [
    (CloseReason.draining, 500, 3000, 5500), (.connectionLimit, 500, 1000, 1500), (.overBudget, 2500, 5000, 7500),
  ])
  func aThousandComeBackOverTheWholeSpread(reason: CloseReason, first: UInt32, middle: Int, last: UInt32) {
    let told = told(reason)
    #expect(told.first == first)
    #expect(abs(Int(told[500]) - middle) <= middle / 100)
    #expect(told.last == last)
    // No moment has more than its part: nowhere do more than 2% of them come in 1% of the time.
    let bin = max(1, (last - first) / 100)
    let counts = Dictionary(grouping: told) { ($0 - first) / bin }.mapValues(\.count)
    #expect(counts.values.allSatisfy { $0 <= 20 })
  }

  @Test func aDrainOfHoursKeepsNobodyWaitingForHours() {
    #expect(told(.draining, drain: 7200 * Self.second).last == 10_500)
    #expect(told(.draining, drain: Self.second / 10).last == 1500)
  }
}
