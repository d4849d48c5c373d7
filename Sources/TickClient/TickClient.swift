import ClientCore
import EventLoop

/// A session with a TickServer.
///
/// ```swift
/// let client = try await TickClient.connect(host: "game.example.com", port: 7777, token: token)
/// let room = try await client.join("lobby", kind: "arena")
/// let position = try room.schema.key("avatar", "position", as: SIMD3<Double>.self)
/// for await notice in room.events {
///   switch notice {
///   case .entityCreated(let entity, let owner) where owner == room.player: me = entity
///   case .event(let event): play(event)
///   case .ended(let reason): print("over: \(reason)")
///   default: break
///   }
/// }
/// ```
///
/// When the connection is lost the client reconnects by itself and resumes its seat, so that nothing reliable is
/// missed; the room tells ``RoomNotice/disconnected(retryIn:)`` and ``RoomNotice/resumed``. All clients of a process
/// share one background thread. A client closes when it and its rooms are let go, or by ``close()``.
public final class TickClient: Sendable {
  /// How a client behaves.
  public struct Options: Sendable {
    /// Most notices other than those of state that may wait for a slow reader of ``Room/events``: each at most 1 KiB.
    public var noticeLimit = 1_024
    /// Upper bound of the delay before the first attempt to reconnect; it doubles from attempt to attempt.
    public var firstRetry: Duration = .milliseconds(250)
    /// Upper bound of every such delay.
    public var longestRetry: Duration = .seconds(8)
    /// Attempts in a row after which the client gives up.
    public var retries = 12
    /// Silence of the server after which a connection counts as lost.
    public var silence: Duration = .seconds(10)
    /// How long inputs wait for each other, so that several leave in one write: a small one by itself costs the server
    /// four times as much. 1 ms to 1 s; nil sends each at once.
    ///
    /// The first input after a pause leaves at once; those that follow within this time leave together, at its end. So
    /// nothing waits when inputs are farther apart, and none waits longer. Events, calls and ``Room/leave()`` never
    /// wait, and take along what does: the order is kept.
    public var inputGathering: Duration? = .milliseconds(5)

    /// The defaults.
    public init() {}
  }

  let connection: Connection
  let mailbox: Mailbox<Loop.Work>

  private init(_ connection: Connection, _ mailbox: Mailbox<Loop.Work>) {
    self.connection = connection
    self.mailbox = mailbox
  }

  deinit {
    let connection = self.connection
    connection.state.locked { $0.close() }
    mailbox.post { _ in connection.finish() }
  }

  /// Connects and begins a session.
  ///
  /// - Parameters:
  ///   - host: A name or an address.
  ///   - port: The server's port.
  ///   - token: What the server's authentication asks for, at most 2,048 bytes; nil for none.
  ///   - schema: The schema the game was built with, to spare its download; nil to learn each room's.
  ///   - options: How the client behaves.
  /// - Throws: ``ClientError``, after one attempt: `unreachable`, or `goodbye` with the server's reason.
  public static func connect(
    host: String, port: Int, token: [UInt8]? = nil, schema: Schema? = nil, options: Options = Options()
  ) async throws -> TickClient {
    guard let number = UInt16(exactly: port), number > 0 else {
      throw ClientError.notAllowed("port is 1 to 65535, not \(port)")
    }
    if let token, token.count > WireLimits.tokenBytes {
      throw ClientError.notAllowed("token has \(token.count) bytes, at most \(WireLimits.tokenBytes) are allowed")
    }
    let mailbox = try SharedLoop.mailbox()
    let state = ClientState(options.configuration(token, schema), noticeLimit: max(1, options.noticeLimit))
    let connection = Connection(
      state, host: host, port: number, gatheringMilliseconds: options.inputGathering.map { $0.gatheringMilliseconds })
    let client = TickClient(connection, mailbox)
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { waiter in
        state.locked { $0.awaitWelcome(waiter) }
        mailbox.post { loop in connection.start(loop) }
      }
    } onCancel: {
      state.locked { $0.failWelcome(CancellationError()) }
    }
    return client
  }

  /// Takes a seat in a room, which is created if need be, and waits for its state.
  ///
  /// - Parameters:
  ///   - room: 1 to 64 bytes of letters, digits and `-_.:/`.
  ///   - kind: A room kind that the server is configured for.
  ///   - options: Whatever the game wants to know, at most 1,024 bytes.
  ///   - strictSchema: Refuse the room if its schema is not the client's own, instead of learning it.
  /// - Throws: ``ClientError``: `joinRefused` with the server's reason, `notAllowed` while in another room,
  ///   `goodbye`, `connectionLost` or `ended`; `CancellationError` when the task is cancelled. A seat that comes
  ///   afterwards is given back at once, and the next join waits for that.
  public func join(
    _ room: String, kind: String, options: [UInt8] = [], strictSchema: Bool = false
  ) async throws -> Room {
    let wish = JoinWish(room: room, kind: kind, options: options, strict: strictSchema)
    let id = WaiterID()
    let joined = try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { waiter in
        connection.state.locked { $0.awaitJoin(id, wish, waiter) }
        wake()
      }
    } onCancel: {
      connection.state.locked { $0.cancelJoin(id) }
      wake()
    }
    return Room(self, joined)
  }

  /// Leaves the room, if any, and ends the session. Calls under way fail.
  public func close() {
    let connection = self.connection
    connection.state.locked { $0.close() }
    mailbox.post { _ in connection.finish() }
  }

  /// The estimated time of a message to the server and back, from pings once a second; nil before the first answer.
  public var roundTrip: Duration? {
    connection.state.locked { $0.core.clock.roundTripMicroseconds }.map { .microseconds(Int64(clamping: $0)) }
  }

  /// Has the loop's thread send what the core wrote.
  func wake() {
    let connection = self.connection
    mailbox.post { _ in connection.flush() }
  }

  /// The same for inputs, which may wait for others.
  func wakeForInput() {
    let connection = self.connection
    mailbox.post { _ in connection.gather() }
  }
}

extension TickClient.Options {
  fileprivate func configuration(_ token: [UInt8]?, _ schema: Schema?) -> ClientConfiguration {
    ClientConfiguration(
      credential: token.map { .token($0) } ?? .none, schema: schema, joinsAcknowledgements: true,
      retry: RetryPolicy(
        firstMilliseconds: firstRetry.wholeMilliseconds, mostMilliseconds: longestRetry.wholeMilliseconds,
        attempts: max(0, retries)),
      silenceMilliseconds: max(100, silence.wholeMilliseconds))
  }
}

extension Duration {
  fileprivate var gatheringMilliseconds: UInt64 { min(max(wholeMilliseconds, 1), 1_000) }

  /// Rounded down; 0 if negative; at most a day, which no delay of a client exceeds.
  fileprivate var wholeMilliseconds: UInt64 {
    let day: Int64 = 86_400
    let seconds = min(max(components.seconds, 0), day)
    return UInt64(seconds * 1_000 + max(0, components.attoseconds) / 1_000_000_000_000_000)
  }
}
