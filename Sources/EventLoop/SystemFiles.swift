import Glibc

/// The small text files in which the kernel tells about itself: `/proc`, `/sys`.
package struct SystemFiles: Sendable {
  /// Put before every path; a test gives a made-up tree.
  package let root: String

  package init(root: String = "") { self.root = root }

  /// The text of a file, or nil when it can't be read. What is longer than 64 KiB is cut.
  package func text(_ path: String) -> String? {
    guard let file = fopen(root + path, "re") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 64 * 1024)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self)
  }

  /// The whole number in the first line of a file, or nil when it is something else, such as `max`.
  package func number(_ path: String) -> Int? {
    text(path)?.split(separator: "\n").first.flatMap { Int($0) }
  }
}
