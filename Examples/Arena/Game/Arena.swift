import ArenaShared
package import TickServer

/// The rules of one arena: walk, collect, shoot. Players propose, the arena decides; see ``ArenaRules`` for the
/// numbers.
///
/// No clock and no system randomness: ticks are the time, and ``SeededGenerator`` is the dice. No trigonometry either,
/// whose last bit differs from machine to machine: the same inputs make the same frames everywhere.
package final class Arena: RoomLogic {
  /// What the server knows of a player, besides what everybody sees in the avatar's fields.
  struct Fighter {
    let avatar: EntityID
    /// Metres that it may still go: earned tick by tick, spent by inputs.
    var reach = 0.0
    var mayFire = Tick(0)
  }

  let fields: ArenaFields
  var fighters: [PlayerID: Fighter] = [:]
  private var pickupsDue: [Tick] = []
  private var random: SeededGenerator

  /// The room kind to serve: `Server.main(rooms: [try Arena.roomKind()])`.
  package static func roomKind(seed: UInt64 = 1) throws(SchemaError) -> RoomKind {
    let fields = try ArenaFields()
    return RoomKind("arena", schema: fields.schema, capacity: ArenaRules.players) { Arena(fields, seed: seed) }
  }

  init(_ fields: ArenaFields, seed: UInt64) {
    self.fields = fields
    random = SeededGenerator(seed: seed)
  }

  // MARK: Players

  package func opened(_ room: Room) {
    for _ in 0..<ArenaRules.pickups { placePickup(room) }
  }

  package func admit(options: [UInt8], in room: Room) -> Admission {
    room.freeEntities(fields.avatar) > 0 ? .admit : .full("too many players came and went: try again in a moment")
  }

  package func joined(_ player: PlayerID, options: [UInt8], in room: Room) {
    guard let avatar = room.create(fields.avatar, owner: player) else { return }
    fighters[player] = Fighter(avatar: avatar)
    room[avatar, fields.name] = "player \(player.rawValue)"
    spawn(avatar, in: room)
  }

  package func left(_ player: PlayerID, in room: Room) {
    fighters[player] = nil
  }

  // MARK: Walking

  /// Takes the proposed yaw and goes towards the proposed position as far as the player's legs allow. Other fields are
  /// not the client's to set.
  package func input(_ input: Input, from player: PlayerID, in room: Room) {
    if let yaw = input[fields.yaw] { room[input.entity, fields.yaw] = yaw }
    guard let goal = input[fields.position], let reach = fighters[player]?.reach else { return }
    let start = room[input.entity, fields.position]
    let way = goal - start
    guard way.length > 0 else { return }
    room[input.entity, fields.position] = start + way * min(1, reach / way.length)
    // Read back, for it was rounded to a whole step: over many inputs nobody gains by the rounding.
    fighters[player]?.reach -= (room[input.entity, fields.position] - start).length
  }

  package func tick(_ room: Room) {
    let stride = ArenaRules.speed / Double(room.kind.tickRate)
    for player in room.players {
      guard var fighter = fighters[player] else { continue }
      fighter.reach = min(fighter.reach + stride, ArenaRules.speed * ArenaRules.slackSeconds)
      fighters[player] = fighter
      collect(fighter.avatar, in: room)
    }
    while let due = pickupsDue.first, due <= room.tick {
      pickupsDue.removeFirst()
      placePickup(room)
    }
  }

  // MARK: Pickups

  private func collect(_ avatar: EntityID, in room: Room) {
    let here = room[avatar, fields.position]
    for pickup in room.entities(fields.pickup)
    where (room[pickup, fields.place] - here).length <= ArenaRules.pickupReach {
      if room[pickup, fields.heals] {
        room[avatar, fields.health] = min(room[avatar, fields.health] + ArenaRules.healing, ArenaRules.health)
      } else {
        room[avatar, fields.score] += 1
      }
      room.remove(pickup)
      pickupsDue.append(room.tick(after: ArenaRules.pickupDelay))
    }
  }

  private func placePickup(_ room: Room) {
    guard let pickup = room.create(fields.pickup) else { return }
    room[pickup, fields.place] = somewhere()
    room[pickup, fields.heals] = Bool.random(using: &random)
  }

  // MARK: Places

  func spawn(_ avatar: EntityID, in room: Room) {
    room[avatar, fields.position] = somewhere()
    room[avatar, fields.health] = ArenaRules.health
  }

  private func somewhere() -> SIMD2<Double> {
    let range = -ArenaRules.halfWidth...ArenaRules.halfWidth
    return SIMD2(Double.random(in: range, using: &random), Double.random(in: range, using: &random))
  }
}

extension SIMD2<Double> {
  var length: Double { (self * self).sum().squareRoot() }
}
