import RoomEngine
import WireFormat

/// A room without sockets, of whose seats the first `moving` send an input each tick.
package final class MeasuredRoom {
  private let context = EngineContext()
  private let room: Room
  private let deliveries: [Delivery]
  private var inputs: [[UInt8]]
  private let moving: Int
  private var tick: UInt32 = 0
  /// Frames taken by sockets so far.
  package private(set) var delivered = 0

  package init(members: Int, moving: Int) throws {
    self.moving = moving
    inputs = Array(repeating: [], count: moving)
    let schema = try Walking.schema(capacity: 1500)
    var limits = RoomLimits()
    limits.admissionsPerTick = 1000
    let grant = RelayLogic.Grant(kind: Walking.avatar, atJoin: 1, most: 1)
    let kind = RoomKind("relay", schema: schema, capacity: 1000, limits: limits) { RelayLogic(grants: [grant]) }
    room = Room(name: "bench", kind: kind, context: context, start: Instant(nanoseconds: 0), startMicroseconds: 0)
    deliveries = (0..<members).map { [context] in
      Delivery(tag: $0, now: Instant(nanoseconds: 0), standings: context.standings)
    }
    for delivery in deliveries {
      let join = Join(room: "bench", roomKind: "relay", schemaHash: schema.hash)
      room.requestSeat(JoinRequest(delivery: delivery, session: UInt64(delivery.tag), join: join))
    }
    for _ in 0..<100 { step() }
  }

  private var now: Instant { Instant(nanoseconds: UInt64(tick) * 33_333_333) }

  /// Takes in the inputs, runs one tick and delivers it to sockets that take everything.
  package func step(
    receiving: Meter = { $0() }, ticking: Meter = { $0() }, delivering: Meter = { $0() }
  ) {
    tick += 1
    for index in 0..<moving { inputs[index] = Walking.inputBody(sequence: Int(tick), entity: index, step: Int(tick)) }
    receiving { receive() }
    ticking { room.run(Tick(tick), now: now) }
    room.takeEffects { _ in }
    delivering { deliver() }
    context.settle()
  }

  private func receive() {
    for index in inputs.indices {
      let input = inputs[index]
      _ = room.receive(.input, input.span, from: deliveries[index], now: now)
    }
  }

  private func deliver() {
    room.deliverNewestFrame(now: now) { _, bytes in
      delivered += 1
      return bytes.count
    } others: { delivery in
      while room.planWrite(for: delivery, now: now) == .write {
        let count = context.plan.withSlices { slices in slices.reduce(0) { $0 + $1.count } }
        _ = delivery.took(count, of: context.plan, pool: context.pool, now: now)
        if !context.plan.hasMore { break }
      }
    }
  }
}

/// What a room does with what came in: apply the inputs, find the changes, encode one frame. A unit is one moving entity.
package struct Ticks: MeasuredUnit {
  private let room: MeasuredRoom
  private let entities: Int

  package init(entities: Int) throws {
    self.entities = entities
    room = try MeasuredRoom(members: entities, moving: entities)
  }

  package func run(rounds: Int, _ meter: Meter) throws -> Int {
    for _ in 0..<rounds { room.step(ticking: meter) }
    return rounds * entities
  }
}

/// A frame goes to every member, to sockets that cost nothing. A unit is one member.
package struct Deliveries: MeasuredUnit {
  private let room: MeasuredRoom

  package init(members: Int) throws {
    room = try MeasuredRoom(members: members, moving: 1)
  }

  package func run(rounds: Int, _ meter: Meter) throws -> Int {
    let before = room.delivered
    for _ in 0..<rounds { room.step(delivering: meter) }
    return room.delivered - before
  }
}
