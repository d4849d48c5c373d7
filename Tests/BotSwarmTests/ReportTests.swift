import Testing

@testable import BotSwarm

@Suite struct ReportTests {
  @Test func quantitiesNeedAUnit() throws {
    #expect(try Quantity.microseconds("50ms") == 50_000)
    #expect(try Quantity.microseconds("1.5s") == 1_500_000)
    #expect(try Quantity.microseconds("800us") == 800)
    #expect(try Quantity.bytes("60MiB") == 62_914_560)
    for text in ["50", "ms", "1e3s", "-5ms", "5 minutes", "", "99999999999999999s"] {
      #expect(throws: QuantityError.self) { try Quantity.microseconds(text) }
    }
    let error = #expect(throws: QuantityError.self) { try Quantity.bytes("60MB") }
    #expect(error?.description.contains("\"60MB\"") == true)
    #expect(error?.description.contains("60MiB") == true)
  }

  @Test func numbersAreReadable() {
    #expect(Format.grouped(1_234_567) == "1,234,567")
    #expect(Format.grouped(-999) == "-999")
    #expect(Format.decimal(29.996, places: 2) == "30.00")
    #expect(Format.decimal(0.04, places: 1) == "0.0")
    #expect(Format.decimal(-0.04, places: 1) == "0.0")
    #expect(Format.decimal(nil, places: 1) == "-")
    #expect(Format.decimal(9.5e12, places: 6) == "9500000000000.00000")
    #expect(Format.decimal(-9e14, places: 6) == "-900000000000000.000")
    #expect(Format.duration(microseconds: 1_250) == "1.25 ms")
    #expect(Format.bytes(62_914_560) == "60.0 MiB")
    #expect(Format.clock(seconds: 67) == "1:07")
  }

  @Test func theSummaryEndsWithTheVerdictAndListsWhatFailed() {
    var report = syntheticReport()
    #expect(SummaryTable(report).text.hasSuffix("\nverdict: ok\n"))
    report.totals.faults.gaps = 3
    let text = SummaryTable(report).text
    #expect(text.contains("FAILED  gaps"))
    #expect(text.hasSuffix("\nverdict: FAILED (gaps: 3, must be 0)\n"))
  }

  @Test func jsonKeepsItsKeysAndTheirOrder() {
    let text = syntheticReport().json.text
    let keys = [
      "\"format\": 1", "\"verdict\": \"ok\"", "\"checks\"", "\"setting\"", "\"frames\"", "\"perBotMin\": 29.9,",
      "\"latency\"", "\"bytes\"", "\"perEntityUpdate\": 8.4", "\"events\"", "\"faults\"", "\"eventsOutOfOrder\": 0",
      "\"connections\"", "\"server\"", "\"peakResidentBytes\": 22600000", "\"seconds\"",
    ]
    var rest = text[...]
    for key in keys {
      guard let range = rest.firstRange(of: key) else {
        Issue.record("\(key) is missing, or not in its place")
        return
      }
      rest = rest[range.upperBound...]
    }
  }

  @Test func jsonEscapesWhatItMust() {
    #expect(JSON.string("a\"b\\c\n\u{1}").text == #""a\"b\\c\n\u0001""#)
    #expect(JSON.number(.infinity).text == "null")
    #expect(JSON.number(30).text == "30")
    #expect(JSON.array([]).text == "[]")
  }

  @Test func theHTMLReportNeedsNothingFromOutside() {
    let html = HTMLReport(syntheticReport()).text
    for outside in ["http:", "https:", "src=", "@import", "url(", "<script"] { #expect(!html.contains(outside)) }
    #expect(html.contains("verdict: ok"))
    #expect(html.contains("prefers-color-scheme: dark"))
    #expect(html.components(of: "<svg") == 7)
    #expect(html.components(of: "<svg") == html.components(of: "</svg>"))
    #expect(html.components(of: "The numbers") == 7)
  }

  @Test func namesFromTheCommandLineCannotBreakTheHTML() {
    var report = syntheticReport()
    report.setting.roomKind = "<script>alert(1)</script>"
    #expect(!HTMLReport(report).text.contains("<script"))
  }

  @Test func aReportWithoutASingleSecondIsStillAReport() {
    let report = SwarmReport(setting: RunSetting())
    #expect(HTMLReport(report).text.contains("Nothing was measured."))
    #expect(SummaryTable(report).text.contains("verdict"))
    #expect(report.json.text.contains("\"seconds\": []"))
  }

  @Test func anAxisHoldsItsValuesBetweenRoundNumbers() {
    for values in [[0.0], [0.3, 0.7], [29, 30, 31], [123_456, 5], [17]] {
      for startsAtZero in [true, false] {
        let scale = Scale(values: values, startsAtZero: startsAtZero)
        #expect(values.allSatisfy { scale.low <= $0 && $0 <= scale.high + 1e-9 })
        #expect((2...7).contains(scale.marks.count), "\(values): \(scale.marks)")
      }
    }
  }
}

extension String {
  fileprivate func components(of part: String) -> Int { ranges(of: part).count }
}
