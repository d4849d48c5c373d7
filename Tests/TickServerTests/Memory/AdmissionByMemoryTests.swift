import EventLoop
import RoomEngine
import Testing

@testable import TickServer

@Suite("Admission by memory")
struct AdmissionByMemoryTests {
  private static let mebibyte = 1024 * 1024

  /// A container of 100 MiB with so many used when it was last read, and so many more since.
  private func pressure(used: Int, grown: Int = 0, sockets: Int? = nil, loops: Int = 1) -> MemoryPressure {
    let pressure = MemoryPressure(laggardBudget: .mib(8), loops: loops, quickBytes: { (used + grown) * Self.mebibyte })
    var usages = [
      MemoryReading.Usage(usedBytes: used * Self.mebibyte, limitBytes: 100 * Self.mebibyte, source: "container")
    ]
    if let sockets {
      usages.append(.init(usedBytes: 0, limitBytes: sockets * Self.mebibyte, source: "sockets", isOfSockets: true))
    }
    let reading = MemoryReading(
      rssBytes: used * Self.mebibyte, usages: usages, quickBytes: used * Self.mebibyte)
    _ = pressure.note(reading, level: .normal)
    return pressure
  }

  @Test("as many as fit below 85% may come, each with what nobody has declared; at least one while there is any room")
  func headroom() {
    #expect(pressure(used: 25).mayAdmit(bytesEach: Self.mebibyte).count == 60)
    #expect(pressure(used: 84).mayAdmit(bytesEach: 4 * Self.mebibyte).count == 1)
    #expect(pressure(used: 85).mayAdmit(bytesEach: 1).count == 0)
  }

  @Test("what has grown since the last reading counts: a crowd comes in less time than lies between two")
  func grown() {
    #expect(pressure(used: 25, grown: 40).mayAdmit(bytesEach: Self.mebibyte).count == 20)
    #expect(pressure(used: 25, grown: 60).mayAdmit(bytesEach: Self.mebibyte).count == 0)
  }

  @Test("loops share what there is, and the sockets' own part is no part of it")
  func shares() {
    #expect(pressure(used: 25, loops: 2).mayAdmit(bytesEach: Self.mebibyte).count == 30)
    #expect(pressure(used: 25, grown: 40, sockets: 1).mayAdmit(bytesEach: Self.mebibyte).count == 20)
  }

  @Test("nobody may come while memory is short; without a limit everybody may")
  func levels() {
    let full = pressure(used: 25)
    _ = full.note(MemoryReading(rssBytes: 1), level: .high)
    #expect(full.mayAdmit(bytesEach: 1).count == 0)
    let free = MemoryPressure(laggardBudget: .mib(8), loops: 1)
    #expect(free.mayAdmit(bytesEach: Self.mebibyte).count == .max)
  }
}
