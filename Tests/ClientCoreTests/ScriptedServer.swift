import ClientCore
import WireFormat

/// The server's side of a conversation, written with the server's own encoders: a room whose state the test sets.
struct ScriptedServer {
  static let ticket = [UInt8](repeating: 7, count: 16)
  static let me = PlayerID(rawValue: 3)

  let schema: Schema
  var tables: [TrackedTable]
  var tick: UInt32
  var lastEvent: UInt64
  private var encoder: FrameEncoder

  init(tick: UInt32 = 100, lastEvent: UInt64 = 40) throws {
    schema = try Self.schema()
    tables = schema.layouts.map { TrackedTable($0) }
    encoder = FrameEncoder(entities: 64)
    self.tick = tick
    self.lastEvent = lastEvent
  }

  static func schema() throws -> Schema {
    try Schema([
      EntityKind(
        "avatar", capacity: 64,
        fields: [
          Field("position", .vector(3, range: -512...512, step: 0.01)), Field("yaw", .angle(steps: 360)),
          Field("health", .unsigned(bits: 7)), Field("name", .string(maxBytes: 24)), Field("target", .reference),
        ]),
      EntityKind("crate", capacity: 32, fields: [Field("open", .bool), Field("load", .bytes(maxBytes: 8))]),
    ])
  }

  // MARK: State

  mutating func create(_ id: Int, generation: UInt8 = 0, owner: PlayerID? = nil, kind: Int = 0) {
    tables[kind].create(id, generation: generation, owner: owner)
  }

  mutating func remove(_ id: Int, kind: Int = 0) { tables[kind].remove(id) }

  mutating func set<Value: FieldValue>(_ field: String, _ id: Int, _ value: Value) throws {
    let key = try schema.key("avatar", field, as: Value.self)
    if tables[0].current.store(key, id, value, in: schema.layouts).hasChanged { tables[0].touch(id) }
  }

  // MARK: Messages of a room

  struct Event {
    var code: UInt16 = 16
    var payload: [UInt8] = []
    var isReliable = true
    var sender: PlayerID?
    var isForSender = true
  }

  /// The next frame, `span` ticks on.
  mutating func frame(_ events: [Event] = [], span: UInt32 = 1, first: UInt64? = nil) -> [UInt8] {
    tick += span
    var state: [UInt8] = []
    let bound = FrameEncoder.stateBound(schema.layouts)
    var any = false
    state = encodedBytes(bound: bound) { any = encoder.encodeChanges(of: &tables, into: &$0) }
    let block = block(events, first: first)
    return Self.message(.frame) { out in
      out.put(byte: (events.isEmpty ? 0 : 2) | (any ? 4 : 0))
      out.put(varint: UInt64(tick))
      out.put(varint: UInt64(span))
      if !events.isEmpty { out.put(raw: block.span) }
      out.put(raw: state.span)
    }
  }

  /// A keyframe of the state as of the last frame.
  mutating func keyframe() -> [UInt8] {
    var any = false
    let state = encodedBytes(bound: FrameEncoder.stateBound(schema.layouts)) {
      any = encoder.encodeKeyframe(of: tables, into: &$0)
    }
    return Self.message(.frame) { out in
      out.put(byte: 1 | (any ? 4 : 0))
      out.put(varint: UInt64(tick))
      out.put(varint: lastEvent)
      out.put(raw: state.span)
    }
  }

  /// Reliable events as an Events message, numbered from `first`.
  static func missed(_ events: [Event], first: UInt64) -> [UInt8] {
    message(.events) { out in
      out.put(varint: first)
      out.put(varint: events.count)
      for event in events { Self.put(event, &out) }
    }
  }

  private mutating func block(_ events: [Event], first: UInt64?) -> [UInt8] {
    let bytes = encodedBytes(bound: 4096) { out in
      out.put(varint: first ?? lastEvent + 1)
      out.put(varint: events.count)
      for event in events { Self.put(event, &out) }
    }
    lastEvent += UInt64(events.count { $0.isReliable })
    return bytes
  }

  private static func put(_ event: Event, _ out: inout OutputRawSpan) {
    RoomEvent.encode(
      isReliable: event.isReliable, sender: event.sender, isForSender: event.isForSender, code: event.code,
      payload: event.payload.span, into: &out)
  }

  static func whisper(_ number: UInt64, reliable: Bool = true, payload: [UInt8] = []) -> [UInt8] {
    encodedBytes(bound: 2048) { out in
      Whisper.encode(
        isReliable: reliable, number: number, sender: nil, code: 20, payload: payload.span, into: &out)
    }
  }

  static func reply(_ id: UInt32, _ status: ReplyStatus, payload: [UInt8] = []) -> [UInt8] {
    encodedBytes(bound: 2048) { Reply.encode(id: id, status: status, payload: payload.span, into: &$0) }
  }

  // MARK: Messages of the conversation

  static func welcome(
    session: UInt64 = 9, time: UInt64 = 5_000_000, maxClientMessage: Int = 16384, maxServerMessage: Int = 1 << 20
  ) -> [UInt8] {
    let welcome = Welcome(
      session: session, timeMicroseconds: time, maxClientMessage: maxClientMessage, maxServerMessage: maxServerMessage,
      graceSeconds: 30, ticket: ticket)
    return encodedBytes(bound: 256) { welcome.encode(into: &$0) }
  }

  func joined(
    resumed: Bool = false, generation: UInt32 = 1, sendsSchema: Bool = true, players: [PlayerID]? = [Self.me],
    lastEvent: UInt64? = nil, lastWhisper: UInt64 = 0
  ) -> [UInt8] {
    let joined = Joined(
      isResumed: resumed, player: Self.me, generation: generation, tick: Tick(tick), tickRate: 30,
      startMicroseconds: 1_000_000, lastEvent: lastEvent ?? self.lastEvent, lastWhisper: lastWhisper,
      schemaHash: schema.hash,
      schema: sendsSchema ? schema.encoded : nil, players: resumed ? nil : players)
    return encodedBytes(bound: joined.bound + 16) { joined.encode(into: &$0) }
  }

  static func goodbye(_ reason: CloseReason, retryAfterMilliseconds: UInt32? = nil) -> [UInt8] {
    let goodbye = Goodbye(reason, retryAfterMilliseconds: retryAfterMilliseconds, text: "because")
    return encodedBytes(bound: 2048) { goodbye.encode(into: &$0) }
  }

  static func refusal(_ refusal: JoinRefusal) -> [UInt8] {
    let refused = JoinRefused(refusal, retryAfterMilliseconds: 700, text: "no")
    return encodedBytes(bound: 2048) { refused.encode(into: &$0) }
  }

  static func left() -> [UInt8] { encodedBytes(bound: 8) { $0.put(empty: .left) } }

  static func ping(_ token: UInt64) -> [UInt8] { encodedBytes(bound: 32) { Ping.encode(token: token, into: &$0) } }

  static func pong(_ token: UInt64, time: UInt64) -> [UInt8] {
    encodedBytes(bound: 64) { Pong(token: token, timeMicroseconds: time).encode(into: &$0) }
  }

  static func ack(_ sequence: UInt32) -> [UInt8] {
    encodedBytes(bound: InputAck.bound) { InputAck(sequence: sequence).encode(into: &$0) }
  }

  static func message(_ type: MessageType, _ body: (inout OutputRawSpan) -> Void) -> [UInt8] {
    encodedBytes(bound: 256 * 1024) { $0.put(type, bound: 128 * 1024, body) }
  }
}
