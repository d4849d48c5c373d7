import RoomEngine
import RoomTestKit
import Testing
import WireFormat

@Suite("Seats whose players are away are charged to them") struct AbsentSeatTests {
  private func vanish(_ clients: [SimulatedClient]) { for client in clients { client.connection?.cut() } }

  @Test("a seat waits as long as its player had it, two seconds at least, the grace period at most")
  func graceGrows() throws {
    for (held, kept) in [(0.1, 2.0), (5, 5), (60, 20)] {
      let stage = try Stage()
      let ann = stage.join()
      stage.room.advance(by: .seconds(held))
      vanish([ann])
      stage.room.advance(by: .seconds(kept - 0.1))
      #expect(stage.room.room.playerCount == 1, "held for \(held) s")
      stage.room.advance(by: .seconds(0.3))
      #expect(stage.room.room.playerCount == 0, "held for \(held) s")
      stage.finish()
    }
  }

  @Test("a newcomer to a full room gets the absent seat of the address that has most of them, shortest held first")
  func yields() throws {
    let stage = try Stage(capacity: 4)
    let players =
      stage.join(1)
      + {
        stage.room.advance(ticks: 5); return stage.join(3)
      }()
    // The first and the last two come from one address.
    for player in [players[2], players[3]] { player.address = players[0].address }
    for player in players {
      player.connection?.cut()
      stage.room.advance(by: .zero)
      player.connect()
    }
    stage.room.advance(ticks: 1)
    vanish(players)
    let newcomer = stage.join()
    stage.room.advance(ticks: 1)
    #expect(newcomer.isInRoom)
    #expect(stage.room.room.counters.seatsYielded == 1)
    // Held for the shortest time of that address, and not the one of the address that has no other.
    let left = Set([0, 1, 2, 3].compactMap { stage.room.room.generation(of: PlayerID(rawValue: $0)) })
    #expect(left.isSuperset(of: [1, 2]), "\(left)")
    for player in players[0...1] { player.connect() }
    stage.room.advance(ticks: 1)
    #expect(players[0].isInRoom && players[1].isInRoom)
    stage.finish()
  }

  @Test("the only absent seat of an address is nobody else's until its grace is over")
  func onlyOne() throws {
    let stage = try Stage(capacity: 3)
    let players = stage.join(3)
    vanish(players)
    let newcomer = stage.join()
    stage.room.advance(ticks: 1)
    #expect(newcomer.refusal?.reason == .roomFull)
    for player in players { player.connect() }
    stage.room.advance(ticks: 1)
    #expect(players.allSatisfy { $0.isInRoom && $0.resumes == 1 })
    stage.finish()
  }

  @Test("a newcomer whom the game refuses takes nobody's seat")
  func refusedByTheGame() throws {
    let stage = try Stage(capacity: 2)
    stage.game.onAdmit = { options, _ in options == [1] ? .reject("no") : .admit }
    let players = stage.join(2)
    players[1].address = players[0].address
    for player in players {
      player.connection?.cut()
      stage.room.advance(by: .zero)
      player.connect()
    }
    stage.room.advance(ticks: 1)
    vanish(players)
    let unwelcome = stage.join(options: [1])
    stage.room.advance(ticks: 1)
    #expect(unwelcome.refusal?.reason == .rejected)
    #expect(stage.room.room.playerCount == 2)
    stage.finish()
  }

  @Test("of a crowd behind one address as many are admitted as of any other address")
  func fairAdmissions() throws {
    var limits = RoomLimits()
    limits.admissionsPerTick = 4
    let stage = try Stage(capacity: 40, avatars: 64, limits)
    let crowd = (0..<30).map { _ in stage.connect() }
    for client in crowd.dropFirst() {
      client.address = crowd[0].address
      client.connect()
    }
    let ann = stage.connect()
    for client in crowd { client.join() }
    ann.join()
    stage.room.advance(ticks: 1)
    #expect(ann.isInRoom, "the last to ask is the first of its address")
    #expect(crowd.count { $0.isInRoom } == 3)
    stage.room.advance(ticks: 7)
    #expect(crowd.allSatisfy { $0.isInRoom })
    stage.finish()
  }

  @Test("a loop of resumes gets its state four times at once and once a second then, and is never refused")
  func resumesArePaced() throws {
    let stage = try Stage()
    let ann = stage.join()
    let bob = stage.join()
    stage.room.advance(by: .seconds(3))
    var greeted = 0
    for _ in 0..<60 {
      ann.connect()
      stage.room.advance(ticks: 1)
      greeted = ann.resumes
      #expect(ann.isConnected)
    }
    #expect((5...7).contains(greeted), "\(greeted) in two seconds")
    stage.room.advance(by: .seconds(1.1))
    #expect(ann.isInRoom && ann.stateHash == bob.stateHash)
    stage.finish()
  }

  @Test("a room that empties is filled again at once")
  func refilled() throws {
    let grant = RelayLogic.Grant(kind: TestSchema.avatar, atJoin: 1, most: 1)
    let kind = RoomKind("relay", schema: try TestSchema.make(avatars: 25), capacity: 20) { RelayLogic(grants: [grant]) }
    let room = SimulatedRoom(kind)
    let clients = (0..<20).map { _ in room.join() }
    room.advance(ticks: 1)
    for _ in 0..<5 {
      for client in clients { client.leave() }
      room.advance(ticks: 1)
      for client in clients { client.join() }
      room.advance(ticks: 1)
      #expect(clients.allSatisfy { $0.isInRoom })
    }
    room.check(clients)
    #expect(room.faults == [])
  }

  @Test("one member that makes and removes entities as fast as it may keeps nobody out")
  func spawning() throws {
    let grant = RelayLogic.Grant(kind: TestSchema.avatar, atJoin: 1, most: 1)
    let kind = RoomKind("relay", schema: try TestSchema.make(avatars: 8), capacity: 4) { RelayLogic(grants: [grant]) }
    let room = SimulatedRoom(kind)
    let ann = room.join()
    room.advance(ticks: 1)
    var own = try #require(ann.ownEntities(TestSchema.avatar).first)
    for round in 0..<8 {
      for _ in 0..<8 {
        let payload: [UInt8] = [0, UInt8(truncatingIfNeeded: own.id), UInt8(truncatingIfNeeded: own.id >> 8)]
        _ = ann.call(RelayLogic.despawnMethod, payload: payload)
        let spawned = try #require(ann.call(RelayLogic.spawnMethod, payload: [0]))
        let next = room.join()
        room.advance(ticks: 1)
        #expect(next.isInRoom == (round > 0 || next.isInRoom), "\(String(describing: next.refusal))")
        #expect(next.refusal == nil)
        next.leave()
        let reply = try #require(ann.replies[spawned])
        #expect(reply.status == .ok)
        own = EntityID(kind: TestSchema.avatar, id: UInt16(reply.payload[0]) | UInt16(reply.payload[1]) << 8)
        room.check([ann])
      }
    }
    #expect(room.faults == [])
  }
}
