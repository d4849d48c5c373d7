import RoomEngine
import Testing

@testable import TickServer

@Suite("Records of things that come in masses")
struct RecordDigestTests {
  private let second: UInt64 = 1_000_000_000
  private func at(_ seconds: Double) -> Instant { Instant(nanoseconds: UInt64(seconds * 1e9)) }

  @Test("the first few get their own, the others one together when the window ends")
  func sum() {
    var digest = RecordDigest<String>(singles: 2, windowNanoseconds: second)
    let told = (0..<300).map { digest.tells("slow", now: at(1), name: "m\($0)", group: $0 < 200 ? "a" : "b") }
    #expect(told.prefix(3) == [true, true, false])
    #expect(told.count { $0 } == 2)
    let early = digest.takeDue(now: at(1.9))
    #expect(early.isEmpty)
    let due = digest.takeDue(now: at(2))
    #expect(due.count == 1)
    #expect(due.first?.key == "slow")
    #expect(due.first?.sum.count == 298)
    #expect(due.first?.sum.names == ["m2", "m3", "m4", "m5", "m6"])
    #expect(due.first?.sum.groups.map(\.name) == ["a", "b"])
    #expect(due.first?.sum.groups.map(\.count) == [198, 100])
  }

  @Test("while it goes on each window gives one record; after a quiet one the next is told at once")
  func goesOn() {
    var digest = RecordDigest<String>(singles: 1, windowNanoseconds: 60 * second)
    var records = 0
    // 20 a second, for ten minutes.
    for step in 0..<12_000 {
      let now = at(Double(step) / 20)
      if digest.tells("EMFILE", now: now) { records += 1 }
      records += digest.takeDue(now: now).count
    }
    #expect(records == 10)
    let last = digest.takeDue(now: at(660)).map(\.sum.count)
    #expect((1190...1200).contains(last.first ?? 0), "\(last)")
    let quiet = digest.takeDue(now: at(720))
    #expect(quiet.isEmpty)
    let isTold = digest.tells("EMFILE", now: at(721))
    #expect(isTold)
  }

  @Test("kinds do not hide each other")
  func kinds() {
    var digest = RecordDigest<Int>(singles: 1, windowNanoseconds: second)
    let told = [1, 1, 2].map { digest.tells($0, now: at(1)) }
    #expect(told == [true, false, true])
    let keys = digest.takeDue(now: at(1), all: true).map(\.key)
    #expect(keys == [1])
  }

  @Test("what is kept of a mass is bounded, however many rooms it is in")
  func bounded() {
    var digest = RecordDigest<Int>(singles: 0, windowNanoseconds: second)
    for number in 0..<10_000 { _ = digest.tells(1, now: at(1), name: "m\(number)", group: "room \(number)") }
    let sum = digest.takeDue(now: at(1), all: true).first?.sum
    #expect(sum?.count == 10_000)
    #expect(sum?.names.count == 5)
    #expect(sum?.groups.count == 5)
  }
}
