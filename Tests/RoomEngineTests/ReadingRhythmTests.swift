import RoomEngine
import Testing

@Suite("When a member is read")
struct ReadingRhythmTests {
  /// What each of these made of it.
  private func heard(_ rhythm: inout ReadingRhythm, _ messages: UInt64 = 1, after ticks: some Sequence<UInt64>)
    -> [Bool]
  {
    ticks.map { rhythm.heard(messages, after: $0) }
  }

  private func foundNothing(_ rhythm: inout ReadingRhythm, times: Int) -> [Bool] {
    (0..<times).map { _ in rhythm.foundNothing() }
  }

  /// And was looked at once since.
  private func spokenEnough() -> ReadingRhythm {
    var rhythm = ReadingRhythm()
    _ = heard(&rhythm, after: 0..<4)
    _ = rhythm.foundNothing()
    return rhythm
  }

  @Test("at ticks, once it has spoken in four of them in a row")
  func begins() {
    var rhythm = ReadingRhythm()
    let answers = heard(&rhythm, after: 10...14)
    #expect(answers == [false, false, false, true, false], "told once")
    #expect(rhythm.isAtTicks)
  }

  /// Of a loop that gets to read only now and then, since its ticks take all its time.
  @Test("at ticks, once it has sent a message for each of four ticks, however late they are read")
  func beginsLate() {
    var rhythm = ReadingRhythm()
    let late = heard(&rhythm, 3, after: [10, 13])
    #expect(late == [false, true])
    rhythm.rest()
    let tooFew = heard(&rhythm, 2, after: [20, 23, 26, 29, 32])
    #expect(!tooFew.contains(true))
  }

  @Test("as its bytes come, while it leaves ticks out or speaks often in few")
  func staysAsBytesCome() {
    var rhythm = ReadingRhythm()
    let threeInARow = heard(&rhythm, after: (0..<50).map { UInt64($0 / 3 * 4 + $0 % 3) })
    let often = heard(&rhythm, after: Array(repeating: 1000, count: 50))
    #expect(!(threeInARow + often).contains(true))
    #expect(!rhythm.isAtTicks)
  }

  @Test("as its bytes come, once thirty looks in a row found nothing")
  func ends() {
    var rhythm = spokenEnough()
    let few = foundNothing(&rhythm, times: 29)
    rhythm.found()
    let more = foundNothing(&rhythm, times: 29)
    #expect(few + more == Array(repeating: false, count: 58))
    #expect(rhythm.isAtTicks)
    let last = rhythm.foundNothing()
    #expect(last)
    #expect(rhythm == ReadingRhythm(), "and has to speak in four ticks anew")
  }

  @Test("bytes that were too many to wait for the tick count as found, though the look finds none")
  func manyBytes() {
    var rhythm = spokenEnough()
    for _ in 0..<20 {
      let answers = foundNothing(&rhythm, times: 29) + heard(&rhythm, after: [100]) + foundNothing(&rhythm, times: 1)
      #expect(!answers.contains(true))
    }
    #expect(rhythm.isAtTicks)
  }

  @Test("as its bytes come for four ticks, after a question")
  func rests() {
    var rhythm = spokenEnough()
    rhythm.rest()
    #expect(!rhythm.isAtTicks)
    let answers = heard(&rhythm, after: 20...23)
    #expect(answers == [false, false, false, true])
  }
}
