import Testing
import WireFormat

/// The tables of `docs/protocol.md` section 9 and the code say the same.
@Suite struct DocumentTests {
  private let lines: [Substring]

  init() throws { lines = try VectorFiles.text("docs/protocol.md").split(separator: "\n") }

  /// The lines of section `number`.
  private func section(_ number: Int) -> ArraySlice<Substring> {
    let start = lines.firstIndex { $0.hasPrefix("## \(number).") } ?? lines.endIndex
    let end = lines.firstIndex { $0.hasPrefix("## \(number + 1).") } ?? lines.endIndex
    return lines[start..<end]
  }

  private func cells(_ line: Substring) -> [String] {
    line.split(separator: "|").map { $0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed() }.map { String($0) }
  }

  @Test func closeReasonsAreThoseOfTheDocument() {
    var documented: [UInt16: String] = [:]
    for line in section(9) {
      let cells = cells(line)
      if cells.count == 3, let code = UInt16(cells[0]) { documented[code] = cells[1] }
    }
    let told = CloseReason.allCases.filter(\.isTold)
    #expect(documented == Dictionary(uniqueKeysWithValues: told.map { ($0.rawValue, $0.name) }))
  }

  @Test func retryRangesAreThoseOfTheDocument() throws {
    let text = section(9).joined(separator: " ")
    let rule = #/1-(\d+) reconnect and resume.*?(\d+)-(\d+) reconnect\s+without it; (\d+)-(\d+) do not reconnect/#
    let found = try #require(text.firstMatch(of: rule)).output
    let bounds = [found.1, found.2, found.3, found.4, found.5].compactMap { UInt16($0) }
    try #require(bounds.count == 5)
    for code in UInt16(1)...255 {
      let expected: CloseReason.Retry =
        code <= bounds[0]
        ? .resume : (bounds[1]...bounds[2]).contains(code) ? .fresh : .never
      #expect(CloseReason.retry(ofCode: code) == expected, "code \(code)")
    }
    #expect(bounds[1] == bounds[0] + 1)
    #expect(bounds[3] == bounds[2] + 1)
    #expect(bounds[4] == 255)
    for reason in CloseReason.allCases { #expect(reason.retry == CloseReason.retry(ofCode: reason.rawValue)) }
  }

  /// The `number name` pairs of the paragraph that starts with `title`.
  private func enumeration(_ title: String) -> [UInt16: String] {
    let lines = section(9)
    guard let start = lines.firstIndex(where: { $0.hasPrefix(title) }) else { return [:] }
    let text = lines[start...].prefix { !$0.hasPrefix("|") && ($0 == lines[start] || !$0.hasPrefix("**")) }
      .joined(separator: " ")
    var found: [UInt16: String] = [:]
    for match in text.dropFirst(title.count).matches(of: #/(?:^|[:·] )\s*(\d+) (\w+)/#) {
      if let code = UInt16(match.output.1) { found[code] = String(match.output.2) }
    }
    return found
  }

  @Test func refusalsAreThoseOfTheDocument() {
    let ours = Dictionary(uniqueKeysWithValues: JoinRefusal.allCases.map { ($0.rawValue, "\($0)") })
    #expect(enumeration("**JoinRefused** refusals") == ours)
  }

  @Test func replyStatusesAreThoseOfTheDocument() {
    let ours = Dictionary(uniqueKeysWithValues: ReplyStatus.allCases.map { ($0.rawValue, "\($0)") })
    #expect(enumeration("**Reply** statuses") == ours)
  }

  @Test(arguments: [
    ("`length` from the client before Welcome", WireLimits.clientHandshakeMessageBytes),
    ("`length` from the client after it", WireLimits.clientMessageBytes),
    ("`length` from the server", WireLimits.serverMessageBytes),
    ("credential token", WireLimits.tokenBytes),
    ("event, call, reply and whisper payload", WireLimits.payloadBytes),
    ("text of Goodbye and JoinRefused", WireLimits.textBytes),
    ("schema in Joined", WireLimits.schemaBytes),
    ("ticket in a Hello", WireLimits.ticketBytes.upperBound),
    ("room and room kind names", WireLimits.nameBytes.upperBound),
  ])
  func limitsAreThoseOfTheDocument(name: String, value: Int) throws {
    let row = try #require(section(9).map(cells).first { $0.count == 2 && $0[0].hasPrefix(name) })
    let numbers = row[1].matches(of: #/\d+/#).compactMap { Int($0.output) }
    #expect(numbers.contains(value), "\(row)")
  }

  @Test func errorCodesAreThoseOfTheDocument() {
    let names = section(2).map(cells).filter { $0.count == 2 }.map { $0[0] }
    #expect(names.suffix(WireError.Code.allCases.count) == WireError.Code.allCases.map(\.rawValue)[...])
  }

  @Test func messageTypesAreThoseOfTheDocument() {
    var documented: Set<String> = []
    for line in section(6) {
      let cells = cells(line)
      if cells.count == 3, cells[0].hasPrefix("0x"), let code = UInt8(cells[0].dropFirst(2), radix: 16) {
        documented.insert("\(code) \(cells[1].lowercased())")
      }
    }
    #expect(documented == Set(MessageType.allCases.map { "\($0.rawValue) \("\($0)".lowercased())" }))
  }
}
