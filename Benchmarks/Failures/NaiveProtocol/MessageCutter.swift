/// Cuts a byte stream into messages: a length in 4 bytes, little-endian, then as many bytes.
package struct MessageCutter {
  package static let headBytes = 4
  /// The largest message without its head; more is a peer of another protocol.
  package static let limitBytes = 64 * 1024

  private var kept: [UInt8] = []

  package init() {}

  /// Hands on each whole message with its head, valid during the call only.
  ///
  /// - Returns: false when a length is over the limit: the stream is of no more use.
  package mutating func feed(_ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) -> Bool {
    guard kept.isEmpty else {
      kept.append(contentsOf: bytes)
      guard let used = kept.withUnsafeBytes({ Self.cut($0, body) }) else { return false }
      kept.removeFirst(used)
      return true
    }
    guard let used = Self.cut(bytes, body) else { return false }
    kept.append(contentsOf: bytes[used...])
    return true
  }

  /// How many bytes were whole messages; nil for a length over the limit.
  private static func cut(_ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) -> Int? {
    var at = 0
    while bytes.count - at >= headBytes {
      let length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
      guard length <= limitBytes else { return nil }
      let end = at + headBytes + length
      guard end <= bytes.count else { break }
      body(UnsafeRawBufferPointer(rebasing: bytes[at..<end]))
      at = end
    }
    return at
  }

  /// A message with its head.
  package static func message(_ body: [UInt8]) -> [UInt8] {
    withUnsafeBytes(of: UInt32(body.count).littleEndian) { Array($0) } + body
  }
}
