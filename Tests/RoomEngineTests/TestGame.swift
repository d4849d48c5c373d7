import RoomEngine
import RoomTestKit
import Testing
import WireFormat

/// The schema of the tests: every field type, two kinds.
enum TestSchema {
  static let avatar = KindIndex(0)
  static let crate = KindIndex(1)

  static func make(avatars: Int = 32, crates: Int = 16) throws -> Schema {
    try Schema([
      EntityKind(
        "avatar", capacity: avatars,
        fields: [
          Field("position", .vector(2, range: -100...100, step: 0.5)),
          Field("yaw", .angle(steps: 360)),
          Field("turn", .quaternion(bits: 10)),
          Field("name", .string(maxBytes: 12)),
        ]),
      EntityKind(
        "crate", capacity: crates,
        fields: [Field("level", .unsigned(bits: 8)), Field("holder", .reference)]),
    ])
  }
}

/// Keys of the test schema.
struct TestKeys {
  let schema: Schema
  let position: FieldKey<SIMD2<Double>>
  let yaw: FieldKey<Double>
  let turn: FieldKey<Quaternion>
  let name: FieldKey<String>
  let level: FieldKey<Int>
  let holder: FieldKey<EntityID?>

  init(_ schema: Schema) throws {
    self.schema = schema
    position = try schema.key("avatar", "position")
    yaw = try schema.key("avatar", "yaw")
    turn = try schema.key("avatar", "turn")
    name = try schema.key("avatar", "name")
    level = try schema.key("crate", "level")
    holder = try schema.key("crate", "holder")
  }
}

/// A game whose rules a test writes as closures; a player gets an avatar when it joins.
final class TestGame: RoomLogic {
  var log: [String] = []
  var calls: [CallToken] = []
  var onOpened: ((Room) -> Void)?
  var onAdmit: (([UInt8], Room) -> Admission)?
  var onJoined: ((PlayerID, Room) -> Void)?
  var onLeft: ((PlayerID, Room) -> Void)?
  var onInput: ((Input, PlayerID, Room) -> Void)?
  var onEvent: ((IncomingEvent, PlayerID, Room) -> Bool)?
  var onCall: ((UInt16, [UInt8], PlayerID, Room) -> CallOutcome)?
  var onTick: ((Room) -> Void)?
  var onEnding: ((Room, Tick) -> Void)?
  var givesAvatars = true

  func opened(_ room: Room) { onOpened?(room) }
  func admit(options: [UInt8], in room: Room) -> Admission { onAdmit?(options, room) ?? .admit }
  func joined(_ player: PlayerID, options: [UInt8], in room: Room) {
    log.append("joined \(player.rawValue)")
    if givesAvatars { _ = room.create(TestSchema.avatar, owner: player) }
    onJoined?(player, room)
  }
  func disconnected(_ player: PlayerID, in room: Room) { log.append("disconnected \(player.rawValue)") }
  func resumed(_ player: PlayerID, in room: Room) { log.append("resumed \(player.rawValue)") }
  func left(_ player: PlayerID, in room: Room) {
    log.append("left \(player.rawValue)")
    onLeft?(player, room)
  }
  func input(_ input: Input, from player: PlayerID, in room: Room) {
    if let onInput { onInput(input, player, room) } else { room.apply(input) }
  }
  func event(_ event: IncomingEvent, from player: PlayerID, in room: Room) -> Bool {
    onEvent?(event, player, room) ?? true
  }
  func call(_ method: UInt16, payload: [UInt8], from player: PlayerID, in room: Room) -> CallOutcome {
    if let call = room.currentCall(from: player) { calls.append(call) }
    return onCall?(method, payload, player, room) ?? .failure(.unknownMethod)
  }
  func tick(_ room: Room) { onTick?(room) }
  func ending(_ room: Room, deadline: Tick) {
    log.append("ending \(deadline.rawValue)")
    onEnding?(room, deadline)
  }
}

/// A simulated room with a ``TestGame``, its keys and its clients; ends with the books checked.
final class Stage {
  let room: SimulatedRoom
  let game: TestGame
  let keys: TestKeys
  private(set) var clients: [SimulatedClient] = []

  init(
    seed: UInt64 = 1, capacity: Int = 8, tickRate: Int = 30, avatars: Int = 32, _ limits: RoomLimits = RoomLimits(),
    game: TestGame = TestGame()
  ) throws {
    keys = try TestKeys(TestSchema.make(avatars: avatars))
    self.game = game
    // Called on this thread only, within the initialiser.
    nonisolated(unsafe) let logic = game
    let kind = RoomKind("test", schema: keys.schema, tickRate: tickRate, capacity: capacity, limits: limits) { logic }
    #expect(kind.fault == nil)
    room = SimulatedRoom(kind, seed: seed)
    room.afterTick = { [unowned self] in room.check(clients) }
  }

  func join(options: [UInt8] = []) -> SimulatedClient {
    let client = room.join(options: options)
    clients.append(client)
    return client
  }

  func connect(schema: Schema? = nil) -> SimulatedClient {
    let client = room.connect(schema: schema)
    clients.append(client)
    return client
  }

  /// So many clients with seats, up to date.
  func join(_ count: Int) -> [SimulatedClient] {
    let joined = (0..<count).map { _ in join() }
    room.advance(ticks: 1)
    return joined
  }

  func avatar(of client: SimulatedClient) throws -> EntityID {
    try #require(client.ownEntities(TestSchema.avatar).first)
  }

  /// Ends everything; nothing may be held then, and nothing may have gone wrong before.
  func finish(sourceLocation: SourceLocation = #_sourceLocation) {
    room.finish()
    #expect(room.faults == [], sourceLocation: sourceLocation)
    #expect(room.heldBuffers == 0, sourceLocation: sourceLocation)
  }
}
