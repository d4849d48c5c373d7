package import ArenaShared
package import WireFormat

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The brain of a bot: looks at the mirror of the room and decides. No I/O, no clock and no randomness: the swarm and
/// the tests drive it alike.
///
/// It walks to the nearest pickup, or to the nearest player when there is none, and shoots at whoever is near enough.
package struct ArenaBot: Sendable {
  /// What to tell the server: an input for its avatar, and perhaps a shot.
  package struct Turn: Equatable, Sendable {
    package var avatar: EntityID
    package var position: SIMD2<Double>
    package var yaw: Double
    package var shot: Shot?
  }

  private let fields: ArenaFields
  private let player: PlayerID
  /// Where it will be when the server has applied all it sent: the mirror is a round trip behind.
  private var ahead: SIMD2<Double>?
  private var weaponRests = Duration.zero

  /// Further from the mirror than this, in metres, the server has put it elsewhere: it was shot, or its inputs came
  /// late.
  private static let mostAhead = 4.0

  package init(_ fields: ArenaFields, player: PlayerID) {
    self.fields = fields
    self.player = player
  }

  /// Decides what to do now.
  ///
  /// - Parameters:
  ///   - tables: the mirror's, of the schema of the bot's fields.
  ///   - elapsed: time since the last turn.
  /// - Returns: nil while the bot has no avatar.
  package mutating func turn(_ tables: [EntityTable], after elapsed: Duration) -> Turn? {
    let avatars = tables[Int(fields.avatar.rawValue)]
    guard let own = ownAvatar(avatars) else { return nil }
    let mirrored = avatars.load(fields.position, own)
    var here = ahead ?? mirrored
    if length(here - mirrored) > Self.mostAhead { here = mirrored }
    let enemy = nearest(avatars, fields.position, to: here, besides: own)
    let pickup = nearest(tables[Int(fields.pickup.rawValue)], fields.place, to: here, besides: nil)

    let goal = pickup ?? enemy ?? here
    here = step(from: here, to: goal, within: ArenaRules.speed * (elapsed / .seconds(1)))
    ahead = here
    let sight = (enemy ?? goal) - here
    return Turn(
      avatar: EntityID(kind: fields.avatar, id: UInt16(own)), position: here,
      yaw: atan2(sight.y, sight.x) * 180 / .pi, shot: fire(sight, hasEnemy: enemy != nil, after: elapsed))
  }

  private mutating func fire(_ sight: SIMD2<Double>, hasEnemy: Bool, after elapsed: Duration) -> Shot? {
    weaponRests -= elapsed
    let distance = length(sight)
    guard hasEnemy, weaponRests <= .zero, distance > 0, distance <= ArenaRules.range else { return nil }
    weaponRests = ArenaRules.cooldown
    return Shot(direction: sight / distance)
  }

  private func ownAvatar(_ avatars: EntityTable) -> Int? {
    var own: Int?
    avatars.forEach { id in
      if own == nil, avatars.owner(of: id) == player { own = id }
    }
    return own
  }

  private func nearest(
    _ table: EntityTable, _ key: FieldKey<SIMD2<Double>>, to here: SIMD2<Double>, besides own: Int?
  ) -> SIMD2<Double>? {
    var found: SIMD2<Double>?
    table.forEach { id in
      guard id != own else { return }
      let place = table.load(key, id)
      if length(place - here) < found.map({ length($0 - here) }) ?? .infinity { found = place }
    }
    return found
  }

  private func step(from here: SIMD2<Double>, to goal: SIMD2<Double>, within metres: Double) -> SIMD2<Double> {
    let way = goal - here
    let distance = length(way)
    return distance <= metres ? goal : here + way * (metres / distance)
  }

  private func length(_ way: SIMD2<Double>) -> Double { (way * way).sum().squareRoot() }
}
