import Foundation
import Testing

@testable import TickServer

/// `docs/operations.md` and the code say the same.
@Suite("The operations document")
struct OperationsDocumentTests {
  private let lines: [Substring]

  init() throws {
    var root = URL(filePath: #filePath)
    for _ in 0..<4 { root.deleteLastPathComponent() }
    lines = try String(contentsOf: root.appending(path: "docs/operations.md"), encoding: .utf8)
      .split(separator: "\n")
  }

  /// The cells of the rows of all tables.
  private var rows: [[String]] {
    lines.filter { $0.hasPrefix("| ") }.map { line in
      line.dropFirst().dropLast().split(separator: "|", omittingEmptySubsequences: false)
        .map { $0.trimmingCharacters(in: .whitespaces) }
    }
  }

  @Test("has a row for every metric, with its type and labels, and none for others")
  func metrics() {
    var documented: [String: [String]] = [:]
    for row in rows where row.count == 6 && row[0].hasPrefix("`") {
      documented[row[0].trimmingCharacters(in: ["`"])] = [row[1], row[2]]
    }
    var readings = sampleReadings()
    readings.memory.limitBytes = 1
    let actual = Metric.all.map { metric in
      let labels = metric.samples(readings).first?.labels.map(\.name).joined(separator: ", ") ?? ""
      return (metric.name, [metric.type.rawValue, labels])
    }
    #expect(documented == Dictionary(actual) { one, _ in one })
  }

  @Test("names every setting that limits something as the settings table does")
  func limits() {
    let known = Set(settings(of: ConfigurationDraft()).map { $0.path.suffix(2).joined(separator: ".") })
    for row in rows where row.count == 5 && row[0].hasPrefix("`") {
      for name in row[0].split(separator: ", ") {
        let key = name.trimmingCharacters(in: ["`"]).split(separator: ".").suffix(2).joined(separator: ".")
          .replacing("*.", with: "arena.")
        #expect(known.contains(key), "\(key)")
      }
    }
  }
}
