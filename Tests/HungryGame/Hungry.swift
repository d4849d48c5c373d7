import Foundation
import TickServer

/// How much the game takes, in bytes, as the environment says:
///
/// - `HUNGRY_ROOM`, `HUNGRY_PLAYER`: at once, for each room and each player.
/// - `HUNGRY_SECOND`: each room, each second, whether anybody comes or not.
/// - `HUNGRY_DECLARED_ROOM`, `HUNGRY_DECLARED_PLAYER`: what the room kind declares.
/// - `HUNGRY_STATE`: state, all of which changes in every tick: makes frames and keyframes as large.
enum Appetite {
  static let room = bytes("HUNGRY_ROOM")
  static let player = bytes("HUNGRY_PLAYER")
  static let second = bytes("HUNGRY_SECOND")
  static let declaredRoom = bytes("HUNGRY_DECLARED_ROOM")
  static let declaredPlayer = bytes("HUNGRY_DECLARED_PLAYER")
  static let state = bytes("HUNGRY_STATE")

  private static func bytes(_ name: String) -> Int {
    guard let text = ProcessInfo.processInfo.environment[name] else { return 0 }
    guard let bytes = Int(text), bytes >= 0 else { fatalError("\(name) is a number of bytes, not \(text)") }
    return bytes
  }
}

/// A game that allocates more than it declares, for rigs of the guard behind the memory plan.
final class Hungry: RoomLogic {
  private static let noiseFields = (0..<8).map { "f\($0)" }
  private static let noiseBytes = 32

  static func kind() throws -> RoomKind {
    let fields = noiseFields.map { Field($0, .unsigned(bits: 32)) }
    let schema = try Schema([
      EntityKind("avatar", capacity: 256, fields: [Field("position", .vector(3, range: -512...512, step: 0.01))]),
      EntityKind("noise", capacity: max(1, Appetite.state / noiseBytes), fields: fields),
    ])
    let keys = try noiseFields.map { try schema.key("noise", $0, as: Int.self) }
    let memory = GameMemory(
      bytesPerRoom: ByteCount(Appetite.declaredRoom), bytesPerPlayer: ByteCount(Appetite.declaredPlayer))
    return RoomKind("hungry", schema: schema, capacity: 200, memory: memory) { Hungry(keys) }
  }

  private static let blockBytes = 4096

  /// In blocks of a page: as many small objects of a game, not as one large array, which the C library would map by itself.
  private var ofRoom: [[UInt8]] = []
  private var ofPlayers: [PlayerID: [[UInt8]]] = [:]
  private var noise: [EntityID] = []
  private var owed = 0.0
  private var random: UInt32 = 1
  private let keys: [FieldKey<Int>]

  init(_ keys: [FieldKey<Int>]) { self.keys = keys }

  func opened(_ room: Room) {
    ofRoom = Self.eat(Appetite.room)
    for _ in 0..<(Appetite.state / Self.noiseBytes) {
      if let entity = room.create(KindIndex(1), owner: nil) { noise.append(entity) }
    }
  }

  func joined(_ player: PlayerID, options: [UInt8], in room: Room) {
    ofPlayers[player] = Self.eat(Appetite.player)
    _ = room.create(KindIndex(0), owner: player)
  }

  func left(_ player: PlayerID, in room: Room) { ofPlayers[player] = nil }

  func tick(_ room: Room) {
    owed += Double(Appetite.second) / Double(room.kind.tickRate)
    if owed >= Double(Self.blockBytes) {
      let meal = Self.eat(Int(owed))
      owed -= Double(meal.count * Self.blockBytes)
      ofRoom += meal
    }
    for entity in noise {
      for key in keys {
        random = random &* 1_664_525 &+ 1_013_904_223
        room.set(key, of: entity, to: Int(random))
      }
    }
  }

  /// Whole blocks, every page of them touched.
  private static func eat(_ bytes: Int) -> [[UInt8]] {
    (0..<(bytes / blockBytes)).map { [UInt8](repeating: UInt8(truncatingIfNeeded: $0 | 1), count: blockBytes) }
  }
}
