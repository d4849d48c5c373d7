/// The numbers of the game: the server enforces them, clients play by them.
package enum ArenaRules {
  /// The arena is a square from -50 to 50 m.
  package static let halfWidth = 50.0
  /// Players of a room.
  package static let players = 64

  /// Metres a second.
  package static let speed = 8.0
  /// Most seconds of walking that one input may make up for, when inputs come late or in bunches.
  package static let slackSeconds = 0.25

  /// Events of players from this code on are emotes and talk: passed on as they are.
  package static let firstEmoteCode: UInt16 = 1000

  /// Between two shots of a player.
  package static let cooldown = Duration.milliseconds(500)
  /// How far a shot reaches, in metres.
  package static let range = 25.0
  /// Cosine of how far beside its target a shot may go and still hit: 5 degrees.
  package static let aimCosine = 0.9962
  /// Health that a hit takes.
  package static let damage = 25
  /// Health of a fresh avatar.
  package static let health = 100
  /// Points for a frag.
  package static let fragScore = 5

  /// Pickups on the ground at first.
  package static let pickups = 16
  /// How near one must come, in metres.
  package static let pickupReach = 1.0
  /// Health that a healing one gives; the others give a point.
  package static let healing = 40
  /// From a pickup's end to the next one.
  package static let pickupDelay = Duration.seconds(5)

  /// Largest name, in bytes of UTF-8.
  package static let nameBytes = 24
  /// Rows of a leaderboard.
  package static let leaders = 10
}
