/// A number of bytes; every limit, queue and cache is one of these.
public struct ByteCount: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Bytes.
  public let bytes: Int

  /// So many bytes.
  public init(_ bytes: Int) { self.bytes = bytes }

  /// So many KiB (1,024 bytes).
  public static func kib(_ count: Int) -> ByteCount { ByteCount(count * 1024) }

  /// So many MiB (1,048,576 bytes).
  public static func mib(_ count: Int) -> ByteCount { ByteCount(count * 1024 * 1024) }

  /// Ordered by size.
  public static func < (one: ByteCount, other: ByteCount) -> Bool { one.bytes < other.bytes }

  /// As configuration files write it: `64KiB`, `1MiB`, `100B`.
  public var description: String {
    if bytes > 0, bytes % (1024 * 1024 * 1024) == 0 { return "\(bytes / (1024 * 1024 * 1024))GiB" }
    if bytes > 0, bytes % (1024 * 1024) == 0 { return "\(bytes / (1024 * 1024))MiB" }
    if bytes > 0, bytes % 1024 == 0 { return "\(bytes / 1024)KiB" }
    return "\(bytes)B"
  }
}
