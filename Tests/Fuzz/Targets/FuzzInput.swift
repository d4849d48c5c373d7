/// The fuzzer's bytes as a stream of choices; 0 after their end.
struct FuzzInput {
  private let bytes: [UInt8]
  private var at = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isEmpty: Bool { at == bytes.count }

  mutating func byte() -> UInt8 {
    guard at < bytes.count else { return 0 }
    defer { at += 1 }
    return bytes[at]
  }

  /// 0 ..< bound, which is 1 to 256.
  mutating func below(_ bound: Int) -> Int { Int(byte()) % bound }

  /// A number of 16 bits, little-endian.
  mutating func word() -> Int { Int(byte()) | Int(byte()) << 8 }

  /// The next `count` bytes, or what is left.
  mutating func take(_ count: Int) -> [UInt8] {
    let end = min(at + count, bytes.count)
    defer { at = end }
    return Array(bytes[at..<end])
  }

  mutating func rest() -> [UInt8] { take(bytes.count - at) }
}
