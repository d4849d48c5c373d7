import ArenaBots
import ArenaShared
import ClientCore
import RoomEngine
import RoomTestKit
import Testing
import WireFormat

@Suite struct BotTests {
  /// Bots that play at 30 Hz, and what the room was like after every tick.
  private func play(bots count: Int, seed: UInt64, seconds: Int) throws -> (
    bout: Bout, clients: [SimulatedClient], hashes: [UInt64]
  ) {
    let bout = try Bout(seed: seed, pickups: true)
    var clients: [SimulatedClient] = []
    var bots: [ArenaBot] = []
    for _ in 0..<count {
      let client = bout.sim.join()
      bout.sim.advance(ticks: 1)
      clients.append(client)
      bots.append(ArenaBot(bout.fields, player: try #require(client.player)))
    }
    var hashes: [UInt64] = []
    for _ in 0..<seconds * 30 {
      for (index, client) in clients.enumerated() {
        guard let turn = bots[index].turn(client.core.tables, after: .seconds(1) / 30) else { continue }
        client.say { core throws(ClientMisuse) in
          try core.set(bout.fields.position, of: turn.avatar, to: turn.position)
          try core.set(bout.fields.yaw, of: turn.avatar, to: turn.yaw)
          try core.flushInput()
        }
        if let shot = turn.shot { client.raise(shot, to: .others, reliably: false) }
      }
      bout.sim.advance(ticks: 1)
      hashes.append(bout.sim.stateHash)
    }
    return (bout, clients, hashes)
  }

  @Test func collectAndFrag() throws {
    let (bout, clients, _) = try play(bots: 8, seed: 3, seconds: 60)
    let frags = clients[0].events(as: Fragged.self)
    #expect(!frags.isEmpty)
    for client in clients {
      #expect(client.events() == frags)
      #expect(client.stateHash == bout.sim.stateHash)
    }
    let scores = try clients.map(bout.score).reduce(0, +)
    #expect(scores > frags.count * ArenaRules.fragScore)
    #expect(bout.sim.faults.isEmpty)
  }

  @Test func sameInputsMakeTheSameFrames() throws {
    let (one, other) = (try play(bots: 6, seed: 7, seconds: 20), try play(bots: 6, seed: 7, seconds: 20))
    #expect(one.hashes == other.hashes)
    #expect(one.clients.map { $0.connection?.bytesArrived } == other.clients.map { $0.connection?.bytesArrived })
    let third = try play(bots: 6, seed: 8, seconds: 20)
    #expect(one.hashes != third.hashes)
  }

  @Test func aMovingAvatarCostsAFewBytes() throws {
    let (bout, clients, hashes) = try play(bots: 32, seed: 1, seconds: 10)
    let bytes = try #require(clients[0].connection).bytesArrived
    let each = Double(bytes) / Double(hashes.count * clients.count)
    #expect(each < 5, "\(each) bytes for each avatar and tick")
    #expect(bout.sim.faults.isEmpty)
  }
}
