import RoomEngine
import WireFormat

/// A small game: an avatar for each player, a clock that changes every tick, noise that fills sockets, and calls that
/// make the server do things.
final class TestRoom: RoomLogic {
  enum Method {
    static let echo: UInt16 = 1
    static let refuse: UInt16 = 2
    static let later: UInt16 = 3
    static let kickMe: UInt16 = 4
    static let whisperMe: UInt16 = 5
    static let lock: UInt16 = 6
    static let end: UInt16 = 7
  }

  /// What every tick changes besides what players do.
  enum Traffic: Sendable {
    case none
    /// One small value.
    case clock
    /// So many entities of 240 fresh bytes each.
    case noise(Int)
    /// Nothing, but each tick takes this long.
    case work(milliseconds: UInt32)
  }

  static let avatar = KindIndex(0)
  static let clock = KindIndex(1)
  static let noise = KindIndex(2)
  static let eventCode: UInt16 = 16
  static let whisperCode: UInt16 = 17
  /// Options that ``admit(options:in:)`` refuses.
  static let unwelcome: [UInt8] = [0xFF]
  /// Largest quantised value of an avatar's x.
  static let mostX: Int32 = 10_000

  static func schema() throws -> Schema {
    try Schema([
      EntityKind("avatar", capacity: 128, fields: [Field("x", .fixed(range: -100...100, step: 0.01))]),
      EntityKind("clock", capacity: 1, fields: [Field("ticks", .unsigned(bits: 32))]),
      EntityKind("noise", capacity: 128, fields: [Field("bytes", .bytes(maxBytes: 240))]),
    ])
  }

  static func kind(
    _ name: String = "test", capacity: Int = 100, tickRate: Int = 30, traffic: Traffic = .none,
    limits: RoomLimits = RoomLimits()
  ) throws -> RoomKind {
    let schema = try schema()
    let ticks: FieldKey<Int> = try schema.key("clock", "ticks")
    let bytes: FieldKey<[UInt8]> = try schema.key("noise", "bytes")
    return RoomKind(name, schema: schema, tickRate: tickRate, capacity: capacity, limits: limits) {
      TestRoom(traffic: traffic, ticks: ticks, bytes: bytes)
    }
  }

  private let traffic: Traffic
  private let ticks: FieldKey<Int>
  private let bytes: FieldKey<[UInt8]>
  private var putOff: [CallToken] = []
  private var seed: UInt8 = 0

  private init(traffic: Traffic, ticks: FieldKey<Int>, bytes: FieldKey<[UInt8]>) {
    self.traffic = traffic
    self.ticks = ticks
    self.bytes = bytes
  }

  func opened(_ room: Room) {
    switch traffic {
    case .none, .work: break
    case .clock: _ = room.create(Self.clock)
    case .noise(let count): for _ in 0..<count { _ = room.create(Self.noise) }
    }
  }

  func admit(options: [UInt8], in room: Room) -> Admission {
    options == Self.unwelcome ? .reject("these options are unwelcome") : .admit
  }

  func joined(_ player: PlayerID, options: [UInt8], in room: Room) {
    _ = room.create(Self.avatar, owner: player)
  }

  func call(_ method: UInt16, payload: [UInt8], from player: PlayerID, in room: Room) -> CallOutcome {
    switch method {
    case Method.echo: return .reply(payload)
    case Method.refuse: return .reject("no")
    case Method.later:
      if let call = room.currentCall(from: player) { putOff.append(call) }
      return .later
    case Method.kickMe:
      room.kick(player, "kicked by the test")
      return .reply([])
    case Method.whisperMe:
      room.whisper(Self.whisperCode, payload, to: player)
      return .reply([])
    case Method.lock:
      room.lock()
      return .reply([])
    case Method.end:
      room.end("ended by the test")
      return .reply([])
    default: return .failure(.unknownMethod)
    }
  }

  func tick(_ room: Room) {
    if case .work(let milliseconds) = traffic { pause(milliseconds: milliseconds) }
    for call in putOff { room.reply(to: call, with: .reply([7])) }
    putOff.removeAll()
    for entity in room.entities(Self.clock) { room.set(ticks, of: entity, to: Int(room.tick.rawValue)) }
    for entity in room.entities(Self.noise) {
      seed &+= 1
      room.set(bytes, of: entity, to: (0..<240).map { seed &* 31 &+ UInt8($0) })
    }
  }
}
