import Glibc
import Testing

@testable import BotSwarm

@Suite struct LiveViewTests {
  @Test(arguments: [80, 60, 200]) func everyLineFitsTheTerminal(width: Int) {
    for line in LiveView(width: width, hasColour: false).lines(status()) {
      #expect(line.count <= width, "\(line)")
    }
  }

  @Test func withoutColourThereIsNoEscape() {
    let lines = LiveView(width: 80, hasColour: false).lines(status())
    #expect(!lines.joined().contains("\u{1B}"))
    #expect(LiveView(width: 80, hasColour: true).lines(status()).joined().contains("\u{1B}[32mnone"))
  }

  @Test func faultsAreNamedAndCounted() {
    var status = status()
    status.faults.gaps = 2
    status.lost = 1
    let lines = LiveView(width: 80, hasColour: false).lines(status)
    #expect(lines.last?.contains("2 gaps, 1 disconnects") == true)
    #expect(LiveView(width: 80, hasColour: false).plainLine(status).hasSuffix("FAULTS 3"))
  }

  @Test func theSparklineKeepsTheLatestValuesAndItsScale() {
    #expect(Sparkline.text([0, 15, 30], width: 10, full: 30) == "▁▅█")
    #expect(Sparkline.text([30, 30, 0, 30], width: 2, full: 30) == "▁█")
    #expect(Sparkline.text([], width: 10, full: 0).isEmpty)
  }

  @Test func theTerminalIsGivenBackAsItWas() throws {
    let output = try capture { terminal in
      terminal.redraw(["one", "two"])
      terminal.redraw(["three", "four"])
      terminal.finish()
      terminal.finish()
    }
    #expect(output.hasPrefix("\u{1B}[?25l"))
    #expect(output.hasSuffix("\u{1B}[?25h"))
    #expect(output.ranges(of: "\u{1B}[?25h").count == 1)
    #expect(output.contains("\u{1B}[2A\rthree"))
  }

  private func status() -> LiveStatus {
    let report = syntheticReport()
    var status = LiveStatus(setting: report.setting)
    status.phase = .running
    status.elapsedSeconds = 12.4
    status.totalSeconds = 26
    (status.connected, status.joined) = (100, 100)
    status.last = report.seconds[12]
    status.rates = report.seconds.compactMap(\.framesP50)
    return status
  }

  private func capture(_ body: (Terminal) -> Void) throws -> String {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    defer { close(ends[0]) }
    body(Terminal(descriptor: ends[1], isInteractive: true))
    close(ends[1])
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = read(ends[0], &bytes, bytes.count)
    return String(decoding: bytes[..<max(0, count)], as: UTF8.self)
  }
}
