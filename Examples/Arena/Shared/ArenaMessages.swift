package import WireFormat

/// The methods that a client may call.
package enum ArenaCall: UInt16 {
  /// Payload: a name as UTF-8. Reply: nothing, or rejected with the reason.
  case setName = 1
  /// Payload: nothing. Reply: a ``Leaderboard``.
  case leaderboard = 2
}

/// A client fires; the others see it if the server lets it.
package struct Shot: GameEvent, Equatable {
  package static let code: UInt16 = 16
  /// Where to, of any length but 0: rounded to 1/63 for two bytes, about a degree for a unit vector.
  package var direction: SIMD2<Double>

  package init(direction: SIMD2<Double>) { self.direction = direction }

  package init(from payload: inout PayloadReader) throws(WireError) {
    direction = SIMD2(try payload.double(step: 1 / 63), try payload.double(step: 1 / 63))
  }

  package func write(to payload: inout PayloadWriter) {
    payload.put(direction.x, step: 1 / 63)
    payload.put(direction.y, step: 1 / 63)
  }
}

/// For everybody, reliably: a player was shot and begins anew.
package struct Fragged: GameEvent, Equatable {
  package static let code: UInt16 = 17
  /// Who was shot.
  package var victim: PlayerID
  /// Who did it.
  package var killer: PlayerID

  package init(victim: PlayerID, killer: PlayerID) {
    (self.victim, self.killer) = (victim, killer)
  }

  package init(from payload: inout PayloadReader) throws(WireError) {
    victim = try payload.player()
    killer = try payload.player()
  }

  package func write(to payload: inout PayloadWriter) {
    payload.put(victim)
    payload.put(killer)
  }
}

/// Whispered to who was hit.
package struct HitBy: GameEvent, Equatable {
  package static let code: UInt16 = 18
  /// Who fired.
  package var shooter: PlayerID

  package init(shooter: PlayerID) { self.shooter = shooter }

  package init(from payload: inout PayloadReader) throws(WireError) { shooter = try payload.player() }

  package func write(to payload: inout PayloadWriter) { payload.put(shooter) }
}

/// The best players, best first.
package struct Leaderboard: Payload, Equatable {
  /// A player and its points.
  package struct Row: Payload, Equatable {
    /// Who.
    package var player: PlayerID
    /// How many points.
    package var score: Int

    package init(player: PlayerID, score: Int) { (self.player, self.score) = (player, score) }

    package init(from payload: inout PayloadReader) throws(WireError) {
      player = try payload.player()
      score = try payload.int()
    }

    package func write(to payload: inout PayloadWriter) {
      payload.put(player)
      payload.put(score)
    }
  }

  /// At most ``ArenaRules/leaders``.
  package var rows: [Row]

  package init(rows: [Row]) { self.rows = rows }

  package init(from payload: inout PayloadReader) throws(WireError) {
    rows = try payload.list(atMost: ArenaRules.leaders)
  }

  package func write(to payload: inout PayloadWriter) { payload.put(rows) }
}
