/// Why bytes could not be decoded: what was wrong, at which offset of the message body, and in which field.
public struct WireError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kinds of malformation; the raw values are those of the golden vectors (`docs/protocol.md`, section 10).
  public enum Code: String, Sendable, CaseIterable {
    /// The bytes end before the layout does.
    case truncated
    /// A varint with a needless last byte `00`.
    case nonMinimalVarint
    /// A varint above its width: 64 bits, or 32 where the layout says so.
    case valueTooLarge
    /// Text that is not UTF-8.
    case invalidText
    /// A flag bit that version 1 does not define.
    case unknownFlag
    /// Bytes left over after the layout.
    case trailingBytes
    /// The length of a message, string, byte string or payload outside its limits.
    case invalidLength
    /// A number, count or choice outside the range that its layout or type declares.
    case outOfRange
    /// A message type or field type that is not defined.
    case unknownType
    /// Values that are allowed each by itself but contradict each other or the state.
    case inconsistent
  }

  /// What was wrong.
  public let code: Code
  /// Offset in bytes from the start of the body that was decoded.
  public let offset: Int
  /// The field of the layout, as `docs/protocol.md` names it.
  public let field: String

  package init(_ code: Code, at offset: Int, _ field: String) {
    self.code = code
    self.offset = offset
    self.field = field
  }

  /// One line for a log or a Goodbye: `truncated at byte 7 in sequence`.
  public var description: String { "\(code.rawValue) at byte \(offset) in \(field)" }
}
