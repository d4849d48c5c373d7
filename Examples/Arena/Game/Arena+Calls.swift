import ArenaShared
package import TickServer

extension Arena {
  package func call(_ method: UInt16, payload: [UInt8], from player: PlayerID, in room: Room) -> CallOutcome {
    switch ArenaCall(rawValue: method) {
    case .setName: setName(payload, of: player, in: room)
    case .leaderboard: .reply(with: leaderboard(room))
    case nil: .failure(.unknownMethod)
    }
  }

  private func setName(_ payload: [UInt8], of player: PlayerID, in room: Room) -> CallOutcome {
    guard let name = String(validating: payload, as: UTF8.self) else { return .failure(.payloadInvalid) }
    guard (1...ArenaRules.nameBytes).contains(payload.count) else {
      return .reject("a name has 1 to \(ArenaRules.nameBytes) bytes, not \(payload.count)")
    }
    guard name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }) else {
      return .reject("a name has letters, digits, - and _ only")
    }
    guard let avatar = fighters[player]?.avatar else { return .reject("you are not in the arena") }
    for other in room.entities(fields.avatar) where other != avatar && room[other, fields.name] == name {
      return .reject("\(name) is taken")
    }
    room[avatar, fields.name] = name
    return .reply([])
  }

  private func leaderboard(_ room: Room) -> Leaderboard {
    let rows = room.players.compactMap { player in
      fighters[player].map { Leaderboard.Row(player: player, score: room[$0.avatar, fields.score]) }
    }
    // Ties go to the lower number, so that the order is the same every time.
    let best = rows.sorted { ($0.score, $1.player.rawValue) > ($1.score, $0.player.rawValue) }
    return Leaderboard(rows: Array(best.prefix(ArenaRules.leaders)))
  }
}
