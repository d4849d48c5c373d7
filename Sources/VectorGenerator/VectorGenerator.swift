import Foundation

/// `VectorGenerator FOLDER` writes the golden vectors of `docs/protocol.md` section 10.
@main
enum VectorGenerator {
  static func main() throws {
    guard CommandLine.arguments.count == 2 else {
      print("usage: VectorGenerator FOLDER")
      exit(2)
    }
    let folder = URL(fileURLWithPath: CommandLine.arguments[1])
    for file in try GoldenVectors.files() {
      try Data(file.content.utf8).write(to: folder.appendingPathComponent(file.name))
      print("\(file.name): \(file.count) vectors")
    }
  }
}
