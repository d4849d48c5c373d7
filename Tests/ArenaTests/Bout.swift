import ArenaGame
import ArenaShared
import RoomEngine
import RoomTestKit
import Testing
import WireFormat

/// An arena whose ground is bare, so that nothing happens but what a test does.
struct Bout {
  let fields: ArenaFields
  let sim: SimulatedRoom

  init(seed: UInt64 = 1, pickups: Bool = false) throws {
    fields = try ArenaFields()
    sim = SimulatedRoom(try Arena.roomKind(seed: seed))
    if !pickups { for pickup in room.entities(fields.pickup) { room.remove(pickup) } }
  }

  var room: Room { sim.room }

  /// Seats a player, at a place of the test's choice.
  func join(at place: SIMD2<Double> = SIMD2(0, 0)) throws -> SimulatedClient {
    let client = sim.join()
    sim.advance(ticks: 1)
    room[try avatar(of: client), fields.position] = place
    sim.advance(ticks: 1)
    return client
  }

  func avatar(of client: SimulatedClient) throws -> EntityID {
    try #require(client.ownEntities(fields.avatar).first)
  }

  func position(of client: SimulatedClient) throws -> SIMD2<Double> {
    try #require(client.get(fields.position, of: avatar(of: client)))
  }

  func health(of client: SimulatedClient) throws -> Int {
    try #require(client.get(fields.health, of: avatar(of: client)))
  }

  func score(of client: SimulatedClient) throws -> Int {
    try #require(client.get(fields.score, of: avatar(of: client)))
  }

  func propose(_ place: SIMD2<Double>, by client: SimulatedClient) throws {
    try client.set(fields.position, of: avatar(of: client), to: place)
  }

  func place(_ pickup: EntityID, at place: SIMD2<Double>, heals: Bool) {
    room[pickup, fields.place] = place
    room[pickup, fields.heals] = heals
  }
}

func length(_ way: SIMD2<Double>) -> Double { (way * way).sum().squareRoot() }
