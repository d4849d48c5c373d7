import RoomEngine

/// How much one client may ask of the server, whatever it is: bytes, joins, and messages that no room counts.
struct ConnectionPace: Sendable {
  var bytes: TokenBucket
  var joins: TokenBucket
  var messages: TokenBucket

  init(_ limits: Limits, now: Instant) {
    bytes = limits.bytes.bucket(now: now)
    joins = limits.joins.bucket(now: now)
    messages = limits.messages.bucket(now: now)
  }

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

    // What a client is told that came faster.
    var bytesText: String { "more than \(ByteCount(bytes.perSecond)) a second (\(ByteCount(bytes.burst)) at once)" }
    var joinsText: String { "more than \(joins.perSecond) joins a second (\(joins.burst) at once)" }
    var messagesText: String { "more than \(messages.perSecond) messages a second (\(messages.burst) at once)" }
  }
}
