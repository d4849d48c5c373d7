import RoomEngine
import Testing
import WireFormat

/// The way of most frames: one look, one write.
@Suite struct NewestFrameTests {
  @Test func anAcknowledgementGoesWithOneFrameAndNoMore() throws {
    let context = EngineContext()
    let start = Instant(nanoseconds: 0)
    let schema = try Schema([EntityKind("avatar", capacity: 4, fields: [Field("speed", .unsigned(bits: 8))])])
    let kind = RoomKind("relay", schema: schema) {
      RelayLogic(grants: [RelayLogic.Grant(kind: KindIndex(0), atJoin: 1, most: 1)])
    }
    let room = Room(name: "r", kind: kind, context: context, start: start, startMicroseconds: 0)
    let delivery = Delivery(tag: 0, now: start, standings: context.standings)
    let join = Join(room: "r", roomKind: "relay")
    room.requestSeat(JoinRequest(delivery: delivery, session: 1, join: join))

    /// Sizes of the acknowledgements that were offered with the frame of a tick.
    func acknowledged(in tick: UInt32) -> [Int] {
      var sizes: [Int] = []
      room.raise(16, [1], reliably: false)
      room.run(Tick(tick), now: start)
      room.takeEffects { _ in }
      let frame = room.frames.head > 0 ? room.frames.frame(room.frames.head).buffer.count : 0
      room.deliverNewestFrame(now: start) { _, bytes in
        sizes.append(bytes.count - frame)
        return bytes.count
      } others: { delivery in
        guard room.planWrite(for: delivery, now: start) == .write else { return }
        let count = context.plan.withSlices { slices in slices.reduce(0) { $0 + $1.count } }
        _ = delivery.took(count, of: context.plan, pool: context.pool, now: start)
      }
      context.settle()
      return sizes
    }

    #expect(acknowledged(in: 1) == [], "who has just joined is greeted")
    // Its client has read that, up to the ping behind it.
    #expect(!room.confirm(1, by: delivery, now: start))
    let input = encodedBytes(bound: 16) { out in
      for byte: UInt8 in [1, 1, 0, 0, 1, 8] { out.put(byte: byte) }
    }
    _ = room.receive(.input, input.span, from: delivery, now: start)
    #expect(acknowledged(in: 2) == [4])
    #expect(acknowledged(in: 3) == [0])
    room.close(.roomClosed, "over")
    delivery.close(pool: context.pool)
    #expect(context.pool.usage.leasedBuffers == 0)
  }
}
