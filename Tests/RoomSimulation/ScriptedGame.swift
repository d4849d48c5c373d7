import RoomEngine
import RoomTestKit
import WireFormat

/// Rules without a say of the players: what happens depends on the seed and the tick alone.
final class ScriptedGame: RoomLogic {
  private let keys: RandomSchema
  private var random: SplitMix64

  init(seed: UInt64, _ keys: RandomSchema) {
    random = SplitMix64(seed: seed)
    self.keys = keys
  }

  func opened(_ room: Room) { for _ in 0..<4 { _ = room.create(RandomSchema.crate) } }

  func joined(_ player: PlayerID, options: [UInt8], in room: Room) {
    _ = room.create(RandomSchema.avatar, owner: player)
  }

  func tick(_ room: Room) {
    for crate in room.entities(RandomSchema.crate) where random.oneIn(3) {
      room.set(keys.level, of: crate, to: random.below(256))
    }
    if random.oneIn(4) { room.raise(100, Array(repeating: 1, count: random.below(200)), reliably: random.oneIn(2)) }
  }
}

extension ScriptedGame {
  /// A room of these rules; the capacity leaves room for one more than the others.
  static func room(seed: UInt64, _ keys: RandomSchema, _ limits: RoomLimits, capacity: Int) -> SimulatedRoom {
    // Called on this thread only, within the initialiser.
    nonisolated(unsafe) let logic = ScriptedGame(seed: seed, keys)
    let kind = RoomKind("scripted", schema: keys.schema, capacity: capacity, limits: limits) { logic }
    return SimulatedRoom(kind, seed: seed)
  }
}
