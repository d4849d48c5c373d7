import Foundation
import Testing

/// The code that the documents show is code that compiles: each block stands in the file that it names.
@Suite struct DocumentTests {
  private struct Block {
    let source: String
    let code: String
  }

  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  private func text(_ path: String) throws -> String {
    try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
  }

  /// The Swift blocks of a document, each with the path in the comment above it: "" when there is none.
  private func blocks(of document: String) -> [Block] {
    var blocks: [Block] = []
    var source = ""
    var code: [Substring]?
    for line in document.split(separator: "\n", omittingEmptySubsequences: false) {
      if let open = code {
        if line == "```" {
          blocks.append(Block(source: source, code: open.joined(separator: "\n") + "\n"))
          (code, source) = (nil, "")
        } else {
          code = open + [line]
        }
      } else if line.hasPrefix("<!-- from: ") {
        source = line.dropFirst("<!-- from: ".count).split(separator: " ").first.map(String.init) ?? ""
      } else if line == "```swift" {
        code = []
      }
    }
    return blocks
  }

  @Test(arguments: ["README.md", "docs/games.md"])
  func everyBlockStandsInTheFileItNames(document: String) throws {
    let blocks = blocks(of: try text(document))
    #expect(!blocks.isEmpty)
    for block in blocks {
      try #require(!block.source.isEmpty, "no <!-- from: path --> above:\n\(block.code)")
      #expect(try text(block.source).contains(block.code), "not in \(block.source):\n\(block.code)")
    }
  }
}
