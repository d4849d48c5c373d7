import RoomEngine
import WireFormat

/// What one tick of a room costs, without sockets: apply the inputs, find the changes, encode one frame. The same 10
/// entities move in each room, and only the number of members differs, so the ratio says whether a frame is serialized
/// once or for each member.

/// A room with a number of seats, of whom the first `moving` send an input each tick.
final class MeasuredRoom {
  private let context = EngineContext()
  private let room: Room
  private let deliveries: [Delivery]
  private let moving: Int
  private var tick: UInt32 = 0

  init(members: Int, moving: Int) throws {
    self.moving = moving
    let schema = try Schema([
      EntityKind(
        "avatar", capacity: 1500,
        fields: [
          Field("position", .vector(3, range: -512...512, step: 0.01)), Field("yaw", .angle(steps: 360)),
          Field("animation", .unsigned(bits: 4)),
        ])
    ])
    var limits = RoomLimits()
    limits.admissionsPerTick = 1000
    let grant = RelayLogic.Grant(kind: KindIndex(0), atJoin: 1, most: 1)
    let kind = RoomKind("relay", schema: schema, capacity: 1000, limits: limits) { RelayLogic(grants: [grant]) }
    room = Room(name: "bench", kind: kind, context: context, start: Instant(nanoseconds: 0), startMicroseconds: 0)
    deliveries = (0..<members).map { Delivery(tag: $0, now: Instant(nanoseconds: 0)) }
    for delivery in deliveries {
      let join = Join(room: "bench", roomKind: "relay", schemaHash: schema.hash)
      room.requestSeat(JoinRequest(delivery: delivery, session: UInt64(delivery.tag), join: join))
    }
    for _ in 0..<100 { _ = try step() }
  }

  private var now: Instant { Instant(nanoseconds: UInt64(tick) * 33_333_333) }

  /// Runs one tick and delivers it to sockets that take everything.
  ///
  /// - Returns: how long the tick alone took.
  func step() throws -> Duration {
    tick += 1
    for index in 0..<moving { try receiveInput(of: index) }
    let clock = ContinuousClock()
    let took = clock.measure { _ = room.run(Tick(tick), now: now) }
    room.takeEffects { _ in }
    for delivery in room.attached {
      while room.planWrite(for: delivery, now: now) == .write {
        let count = context.plan.withSlices { slices in slices.reduce(0) { $0 + $1.count } }
        _ = delivery.took(count, of: context.plan, pool: context.pool, now: now)
        if !context.plan.hasMore { break }
      }
    }
    context.settle()
    return took
  }

  private func receiveInput(of index: Int) throws {
    let walked = Int32(truncatingIfNeeded: tick) &* 5 % 50000
    let body = encodedBytes(bound: 64) { out in
      out.put(varint: UInt64(tick))
      out.put(varint: 1)
      out.put(varint: 0)
      out.put(varint: index)
      out.put(varint: 0b111)
      for offset: Int32 in 0..<3 { out.put(zigzag: walked &+ offset) }
      out.put(zigzag: walked % 180)
      out.put(zigzag: walked % 16)
    }
    try room.receive(.input, body.span, from: deliveries[index], now: now)
  }
}

func median(_ values: [Duration]) -> Double {
  let middle = values.sorted()[values.count / 2]
  return Double(middle.components.attoseconds) / 1e12
}

/// Alternates the rooms tick by tick, so that whatever else the machine does hits all of them.
func compare(_ sizes: [Int], moving: Int) throws {
  let rooms = try sizes.map { try MeasuredRoom(members: $0, moving: moving) }
  var times = sizes.map { _ in [Duration]() }
  for _ in 0..<3000 {
    for (index, room) in rooms.enumerated() { times[index].append(try room.step()) }
  }
  let medians = times.map(median)
  for (index, size) in sizes.enumerated() {
    let ratio = (medians[index] / medians[0] * 1000).rounded() / 1000
    let microseconds = (medians[index] * 100).rounded() / 100
    print("\(moving) of \(size) members move: median tick \(microseconds) us, ratio to \(sizes[0]) members \(ratio)")
  }
}

try compare([10, 100, 1000], moving: 10)
try compare([100, 1000], moving: 100)
