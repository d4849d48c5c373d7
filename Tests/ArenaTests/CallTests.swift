import ArenaShared
import RoomEngine
import RoomTestKit
import Testing
import WireFormat

@Suite struct CallTests {
  private func reply(to player: SimulatedClient, _ method: UInt16, _ payload: [UInt8] = [], in bout: Bout) throws
    -> ReceivedReply
  {
    let call = try #require(player.call(method, payload: payload))
    bout.sim.advance(ticks: 1)
    return try #require(player.replies[call])
  }

  private func setName(_ name: String, of player: SimulatedClient, in bout: Bout) throws -> ReceivedReply {
    try reply(to: player, ArenaCall.setName.rawValue, Array(name.utf8), in: bout)
  }

  @Test(arguments: ["Ada", "Łukasz_9", "x-1"])
  func takesAName(name: String) throws {
    let bout = try Bout()
    let (player, other) = (try bout.join(), try bout.join())
    #expect(try setName(name, of: player, in: bout).status == .ok)
    #expect(other.get(bout.fields.name, of: try bout.avatar(of: player)) == name)
  }

  @Test(arguments: ["", "a b", "<b>", "a\u{0}", "ABCDEFGHIJKLMNOPQRSTUVWXY"])
  func refusesAName(name: String) throws {
    let bout = try Bout()
    let player = try bout.join()
    let before = player.get(bout.fields.name, of: try bout.avatar(of: player))
    #expect(try setName(name, of: player, in: bout).status == .rejected)
    #expect(player.get(bout.fields.name, of: try bout.avatar(of: player)) == before)
  }

  @Test func refusesWhatIsNoTextOrTaken() throws {
    let bout = try Bout()
    let (player, other) = (try bout.join(), try bout.join())
    #expect(try reply(to: player, ArenaCall.setName.rawValue, [0xFF, 0xFE], in: bout).status == .payloadInvalid)
    #expect(try setName("Ada", of: player, in: bout).status == .ok)
    #expect(try setName("Ada", of: other, in: bout).status == .rejected)
    // Its own is not taken from it.
    #expect(try setName("Ada", of: player, in: bout).status == .ok)
  }

  @Test func theLeaderboardHasTheBestFirst() throws {
    let bout = try Bout()
    var players: [SimulatedClient] = []
    for number in 0..<12 {
      let player = try bout.join()
      bout.room[try bout.avatar(of: player), bout.fields.score] = number / 2
      players.append(player)
    }
    let reply = try reply(to: players[0], ArenaCall.leaderboard.rawValue, in: bout)
    let board = try Leaderboard(reply.payload)
    #expect(board.rows.map(\.score) == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1])
    #expect(board.rows.map(\.player) == [10, 11, 8, 9, 6, 7, 4, 5, 2, 3].map { players[$0].player })
  }

  @Test func knowsNoOtherMethod() throws {
    let bout = try Bout()
    #expect(try reply(to: try bout.join(), 77, in: bout).status == .unknownMethod)
  }
}
