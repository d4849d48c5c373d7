import RoomEngine
import WireFormat

/// How much one client may ask of the server, whatever it is: work, joins, and messages that no room counts.
///
/// What is above a rate is read later: reading stops until there are tokens again, and what the client sends meanwhile waits in
/// its socket. So a backlog that a pause of the server or the network has left is taken in as fast as the rate allows, and who
/// floods slows nobody but itself.
struct ConnectionPace: Sendable {
  /// Bytes of messages, with what each costs beside them; see ``work(of:_:)``.
  var bytes: TokenBucket
  var joins: TokenBucket
  var messages: TokenBucket

  init(_ limits: Limits, now: Instant) {
    bytes = limits.bytes.bucket(now: now)
    joins = limits.joins.bucket(now: now)
    messages = limits.messages.bucket(now: now)
  }

  /// Whether nothing more may be taken now.
  mutating func isSpent(now: Instant) -> Bool {
    bytes.isSpent(now: now) || joins.isSpent(now: now) || messages.isSpent(now: now)
  }

  /// What a message counts as, in bytes: handling an empty one costs as much as some 32 bytes do, an entry of an input as
  /// 16.
  static func work(of type: UInt8, _ body: Span<UInt8>) -> Int {
    let entries = type == MessageType.input.rawValue ? InputReader.entryCount(body) : 0
    return messageWork + body.count + entryWork * entries
  }

  static let messageWork = 32
  static let entryWork = 16

  struct Rate: Sendable {
    let perSecond: Int
    let burst: Int

    func bucket(now: Instant) -> TokenBucket { TokenBucket(perSecond: perSecond, burst: burst, now: now) }
  }

  /// The same for all connections of a server.
  struct Limits: Sendable {
    let bytes: Rate
    let joins: Rate
    /// As many as in the most generous room, since some may still be for a room that the client has left.
    let messages: Rate

    init(_ configuration: ServerConfiguration) {
      bytes = Rate(perSecond: configuration.bytesPerSecond.bytes, burst: configuration.byteBurst.bytes)
      joins = Rate(perSecond: configuration.joinsPerSecond, burst: configuration.joinBurst)
      let limits = configuration.roomKinds.map(\.limits)
      messages = Rate(
        perSecond: limits.map(\.messagesPerSecond).max() ?? 1, burst: limits.map(\.messageBurst).max() ?? 1)
    }
  }
}
