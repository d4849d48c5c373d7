import ArenaShared
package import TickServer

extension Arena {
  /// A client may emote, and shoot when its weapon is ready: false drops all else.
  package func event(_ event: IncomingEvent, from player: PlayerID, in room: Room) -> Bool {
    if event.code >= ArenaRules.firstEmoteCode { return true }
    guard let shot: Shot = event.read(), shot.direction.length > 0,
      let shooter = fighters[player], room.tick >= shooter.mayFire
    else { return false }
    fighters[player]?.mayFire = room.tick(after: ArenaRules.cooldown)
    if let victim = target(of: shot, from: player, shooter.avatar, in: room) { hit(victim, by: player, in: room) }
    return true
  }

  /// The nearest player in the shot's way.
  private func target(of shot: Shot, from player: PlayerID, _ avatar: EntityID, in room: Room) -> PlayerID? {
    let here = room[avatar, fields.position]
    let aim = shot.direction / shot.direction.length
    var nearest: (player: PlayerID, distance: Double)?
    for other in room.players where other != player {
      guard let avatar = fighters[other]?.avatar else { continue }
      let way = room[avatar, fields.position] - here
      let distance = way.length
      guard distance <= ArenaRules.range, (way * aim).sum() >= distance * ArenaRules.aimCosine else { continue }
      if distance < nearest?.distance ?? .infinity { nearest = (other, distance) }
    }
    return nearest?.player
  }

  private func hit(_ victim: PlayerID, by killer: PlayerID, in room: Room) {
    guard let target = fighters[victim]?.avatar, let shooter = fighters[killer]?.avatar else { return }
    room[target, fields.health] -= ArenaRules.damage
    room.whisper(HitBy(shooter: killer), to: victim, reliably: false)
    guard room[target, fields.health] == 0 else { return }
    room[shooter, fields.frags] += 1
    room[shooter, fields.score] += ArenaRules.fragScore
    room.raise(Fragged(victim: victim, killer: killer))
    spawn(target, in: room)
  }
}
