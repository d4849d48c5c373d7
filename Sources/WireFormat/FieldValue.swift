/// A Swift type that a field can be read and written as.
///
/// | type | fields |
/// | --- | --- |
/// | `Bool` | bool |
/// | `Int` | unsigned, signed |
/// | `Double` | fixed; angle, in degrees, 0 up to 360 |
/// | `SIMD2`, `SIMD3`, `SIMD4` of `Double` | vector of 2, 3, 4 components |
/// | ``Quaternion`` | quaternion |
/// | `String` | string |
/// | `[UInt8]` | bytes |
/// | `EntityID?` | reference |
///
/// A game may add its own, such as an enum kept in an unsigned field, by building on one of these:
///
/// ```swift
/// enum Weapon: Int, FieldValue {
///   case none, sword, bow
///   static func fits(_ type: FieldType) -> Bool { Int.fits(type) }
///   init(words: SIMD4<Int32>, of type: FieldType) {
///     self = Weapon(rawValue: Int(words: words, of: type)) ?? .none
///   }
///   func words(for type: FieldType) -> SIMD4<Int32> { rawValue.words(for: type) }
/// }
/// ```
public protocol FieldValue: Sendable {
  /// Whether a field of this type can be read and written as `Self`.
  static func fits(_ type: FieldType) -> Bool

  /// The value of a field's quantised columns; columns that the type does not have are 0.
  init(words: SIMD4<Int32>, of type: FieldType)

  /// The quantised columns for this value: the nearest one that the field can hold.
  func words(for type: FieldType) -> SIMD4<Int32>

  /// The value of a string or bytes field.
  init(blob: Span<UInt8>)

  /// The content for a string or bytes field, of at most `maxBytes` bytes: what is longer is cut.
  func blob(maxBytes: Int) -> [UInt8]

  /// The value at `fraction` (0 to 1) of the way from this one to `next`, for display between two ticks.
  func interpolated(to next: Self, fraction: Double, in type: FieldType) -> Self
}

extension FieldValue {
  /// Blob fields only: the value of the zero state otherwise.
  @inlinable
  public init(blob: Span<UInt8>) {
    self.init(words: SIMD4(), of: .bool)
  }

  /// Blob fields only: nothing otherwise.
  @inlinable
  public func blob(maxBytes: Int) -> [UInt8] { [] }

  /// Steps: this value until the next one is reached.
  @inlinable
  public func interpolated(to next: Self, fraction: Double, in type: FieldType) -> Self {
    fraction < 1 ? self : next
  }
}

extension Bool: FieldValue {
  /// Bool fields.
  @inlinable
  public static func fits(_ type: FieldType) -> Bool { type == .bool }

  /// 0 is false.
  @inlinable
  public init(words: SIMD4<Int32>, of type: FieldType) { self = words.x != 0 }

  /// 0 or 1.
  @inlinable
  public func words(for type: FieldType) -> SIMD4<Int32> { SIMD4(self ? 1 : 0, 0, 0, 0) }
}

extension Int: FieldValue {
  /// Unsigned and signed fields.
  @inlinable
  public static func fits(_ type: FieldType) -> Bool {
    switch type {
    case .unsigned, .signed: true
    default: false
    }
  }

  /// The integer; unsigned 32-bit values keep their sign bit as a value bit.
  @inlinable
  public init(words: SIMD4<Int32>, of type: FieldType) {
    if case .unsigned = type {
      self = Int(UInt32(bitPattern: words.x))
    } else {
      self = Int(words.x)
    }
  }

  /// The nearest integer that the field's bits hold.
  @inlinable
  public func words(for type: FieldType) -> SIMD4<Int32> {
    switch type {
    case .unsigned(let bits):
      let most = (1 << bits) - 1
      return SIMD4(Int32(truncatingIfNeeded: Swift.min(Swift.max(self, 0), most)), 0, 0, 0)
    case .signed(let bits):
      let half = 1 << (bits - 1)
      return SIMD4(Int32(truncatingIfNeeded: Swift.min(Swift.max(self, -half), half - 1)), 0, 0, 0)
    default: return SIMD4()
    }
  }
}

extension String: FieldValue {
  /// String fields.
  @inlinable
  public static func fits(_ type: FieldType) -> Bool {
    if case .string = type { true } else { false }
  }

  /// Empty: strings are held as blobs.
  @inlinable
  public init(words: SIMD4<Int32>, of type: FieldType) { self = "" }

  /// None: strings are held as blobs.
  @inlinable
  public func words(for type: FieldType) -> SIMD4<Int32> { SIMD4() }

  /// The text; a mirror has checked that it is UTF-8.
  public init(blob: Span<UInt8>) {
    if let text = try? UTF8Span(validating: blob) { self = String(copying: text) } else { self = "" }
  }

  /// UTF-8, cut after the last whole character that fits.
  public func blob(maxBytes: Int) -> [UInt8] {
    guard utf8.count > maxBytes else { return Array(utf8) }
    var bytes: [UInt8] = []
    for character in self {
      guard bytes.count + character.utf8.count <= maxBytes else { break }
      bytes.append(contentsOf: character.utf8)
    }
    return bytes
  }
}

extension [UInt8]: FieldValue {
  /// Bytes fields.
  @inlinable
  public static func fits(_ type: FieldType) -> Bool {
    if case .bytes = type { true } else { false }
  }

  /// Empty: bytes are held as blobs.
  @inlinable
  public init(words: SIMD4<Int32>, of type: FieldType) { self = [] }

  /// None: bytes are held as blobs.
  @inlinable
  public func words(for type: FieldType) -> SIMD4<Int32> { SIMD4() }

  /// The bytes.
  public init(blob: Span<UInt8>) { self = blob.array(0..<blob.count) }

  /// The first `maxBytes` bytes.
  public func blob(maxBytes: Int) -> [UInt8] { count > maxBytes ? Array(prefix(maxBytes)) : self }
}

extension EntityID?: FieldValue {
  /// Reference fields.
  @inlinable
  public static func fits(_ type: FieldType) -> Bool { type == .reference }

  /// The entity referred to.
  public init(words: SIMD4<Int32>, of type: FieldType) { self = EntityID(referenceWord: words.x) }

  /// The quantised reference; a kind that no schema has counts as none.
  public func words(for type: FieldType) -> SIMD4<Int32> {
    guard let self, self.kind.rawValue < WireLimits.kinds else { return SIMD4() }
    return SIMD4(EntityID.referenceWord(self), 0, 0, 0)
  }
}
