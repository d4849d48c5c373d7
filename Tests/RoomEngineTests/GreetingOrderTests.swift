import RoomEngine
import Testing
import WireFormat

@Suite struct GreetingOrderTests {
  /// A connection whose Welcome was still under way when it got its seat, and a whisper with it.
  @Test func messagesOfARoomAreNotFlushedBeforeItsJoined() throws {
    let game = TestGame()
    game.onJoined = { player, room in room.whisper(30, to: player) }
    // Called on this thread only, within the initialiser.
    nonisolated(unsafe) let logic = game
    let kind = RoomKind("test", schema: try TestSchema.make()) { logic }
    let context = EngineContext()
    let start = Instant(nanoseconds: 0)
    let room = Room(name: "room", kind: kind, context: context, start: start, startMicroseconds: 0)
    let delivery = Delivery(tag: 0, now: start, standings: context.standings)
    let isQueued = delivery.outbox.append(bound: 1, limit: 100, pool: context.pool) { $0.put(byte: 0) }
    #expect(isQueued)
    #expect(delivery.planOutbox(into: context.plan, pool: context.pool))
    #expect(!delivery.took(0, of: context.plan, pool: context.pool, now: start))
    room.requestSeat(
      JoinRequest(delivery: delivery, session: 1, join: Join(room: "room", roomKind: "test", schemaHash: 0)))
    room.run(Tick(1), now: start)
    room.takeEffects { _ in }
    delivery.completed(pool: context.pool, now: start)
    #expect(delivery.outbox.count > 0)
    // A server that shuts down says goodbye here, and sends first what waits.
    #expect(!delivery.planOutbox(into: context.plan, pool: context.pool))
    #expect(room.planWrite(for: delivery, now: start) == .write)
    room.close(.draining, "the server is shutting down")
    room.takeEffects { _ in }
    room.detach(delivery, keepsSeat: true, now: start)
    #expect(context.pool.usage.leasedBuffers == 0)
  }
}
