/// The limits of protocol version 1, each with its reason. Room kinds and configuration may set less, never more.
public enum WireLimits {
  /// The protocol version that this code speaks.
  public static let protocolVersion: UInt32 = 1
  /// Largest message length in bytes that a client may send before its Welcome: a token and no more.
  public static let clientHandshakeMessageBytes = 4096
  /// Default and largest setting of the largest client message, in bytes.
  public static let clientMessageBytes = 16 * 1024
  /// Largest server message in bytes: a keyframe of the largest room must fit.
  public static let serverMessageBytes = 1024 * 1024
  /// Largest auth token in bytes: a JWT with a few claims.
  public static let tokenBytes = 2048
  /// Sizes of a resume ticket in bytes: 128 bits of randomness at least.
  public static let ticketBytes = 16...64
  /// Largest payload of an event, call, reply or whisper, in bytes.
  public static let payloadBytes = 1024
  /// Largest join options in bytes.
  public static let optionsBytes = 1024
  /// Sizes of names of rooms, kinds and fields, in bytes.
  public static let nameBytes = 1...64
  /// Largest text of a Goodbye or refusal, in bytes.
  public static let textBytes = 512
  /// Most entity kinds of a schema: a reference keeps 5 bits for the kind.
  public static let kinds = 32
  /// Most fields of an entity kind: a change mask is 64 bits.
  public static let fields = 64
  /// Most columns of an entity kind: column 255 stands for the entity itself in the state hash.
  public static let columns = 255
  /// Most entity ids of a kind: ids are 16 bits.
  public static let entities = 65536
  /// Largest string or bytes field, in bytes.
  public static let blobBytes = 255
  /// Largest encoded schema in bytes: 32 kinds of 64 fields with short names.
  public static let schemaBytes = 64 * 1024
  /// Most entities one Input may move.
  public static let inputEntries = 256
  /// Most players of a room: player ids are 16 bits.
  public static let players = 65536
  /// Longest varint of a message length, in bytes.
  package static let lengthPrefixBytes = 5
  /// Event codes below this belong to the protocol.
  public static let firstGameEventCode: UInt16 = 16
}
