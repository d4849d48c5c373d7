import Foundation
import FuzzTargets
import Testing

/// What the fuzzer has found interesting, and what it has found wrong, once more in every run of the tests.
@Suite struct ReplayTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

  private static func inputs(_ folder: String, of target: FuzzTarget) throws -> [URL] {
    let path = root.appending(path: "\(folder)/\(target.rawValue)")
    guard FileManager.default.fileExists(atPath: path.path) else { return [] }
    return try FileManager.default.contentsOfDirectory(at: path, includingPropertiesForKeys: nil)
      .filter { !$0.lastPathComponent.hasPrefix(".") }
      .sorted { $0.lastPathComponent < $1.lastPathComponent }
  }

  @Test(arguments: FuzzTarget.allCases)
  func theCorpusHasNoFaults(of target: FuzzTarget) throws {
    let inputs = try Self.inputs("Corpus", of: target) + Self.inputs("Regressions", of: target)
    #expect(inputs.count > 10, "the corpus of \(target) is missing")
    for input in inputs {
      let faults = target.faults(Array(try Data(contentsOf: input)))
      #expect(faults == [], "\(target) \(input.lastPathComponent)")
    }
  }
}
