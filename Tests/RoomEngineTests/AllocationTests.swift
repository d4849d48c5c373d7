import CAllocationCounter
import RoomEngine
import Testing
import WireFormat

/// A room driven as a server drives it, whose members' sockets take everything: nothing but the engine runs.
private final class SteadyRoom {
  let context = EngineContext()
  let room: Room
  private let deliveries: [Delivery]
  private var tick: UInt32 = 0
  private var inputs: [[UInt8]] = []
  private(set) var bytes = 0

  init(members: Int, moving: Int) throws {
    let schema = try Schema([
      EntityKind(
        "avatar", capacity: members * 2,
        fields: [
          Field("position", .vector(3, range: -512...512, step: 0.01)), Field("turn", .quaternion(bits: 10)),
          Field("yaw", .angle(steps: 360)), Field("animation", .unsigned(bits: 8)),
        ])
    ])
    var limits = RoomLimits()
    limits.admissionsPerTick = members
    let grant = RelayLogic.Grant(kind: KindIndex(0), atJoin: 1, most: 1)
    let kind = RoomKind("relay", schema: schema, capacity: members, limits: limits) { RelayLogic(grants: [grant]) }
    room = Room(
      name: "steady", kind: kind, context: context, start: Instant(nanoseconds: 0), startMicroseconds: 0)
    deliveries = (0..<members).map { [context] in
      Delivery(tag: $0, now: Instant(nanoseconds: 0), standings: context.standings)
    }
    for delivery in deliveries {
      let join = Join(room: "steady", roomKind: "relay", schemaHash: schema.hash)
      room.requestSeat(JoinRequest(delivery: delivery, session: UInt64(delivery.tag), join: join))
    }
    step()
    // Each client has read the ping behind all that it was sent.
    for delivery in deliveries { _ = room.confirm(1, by: delivery, now: now) }
    inputs = (0..<moving).map { _ in [] }
  }

  private var now: Instant { Instant(nanoseconds: UInt64(tick) * 33_333_333) }

  /// Encodes what members will send, outside of what is measured.
  func prepare() {
    for index in inputs.indices {
      inputs[index] = encodedBytes(bound: 64) { out in
        out.put(varint: UInt64(tick))
        out.put(varint: 1)
        out.put(varint: 0)
        out.put(varint: index)
        out.put(varint: 0xF)
        let value = Int32(truncatingIfNeeded: tick) &* 7 &+ Int32(truncatingIfNeeded: index)
        for scale in 1...3 { out.put(zigzag: value &* Int32(truncatingIfNeeded: scale)) }
        out.put(varint: UInt64(zigzag(value % 300)) << 2)
        out.put(zigzag: -value % 300)
        out.put(zigzag: value % 200)
        out.put(zigzag: value % 180)
        out.put(zigzag: value & 255)
      }
    }
  }

  func receive() {
    for index in inputs.indices {
      let input = inputs[index]
      _ = room.receive(.input, input.span, from: deliveries[index], now: now)
    }
  }

  func step() {
    tick += 1
    room.run(Tick(tick), now: now)
    room.takeEffects { _ in }
    for index in room.attached.indices.reversed() {
      let delivery = room.attached[index]
      while room.planWrite(for: delivery, now: now) == .write {
        var count = 0
        context.plan.withSlices { slices in for slice in slices { count += slice.count } }
        bytes += count
        _ = delivery.took(count, of: context.plan, pool: context.pool, now: now)
        if !context.plan.hasMore { break }
      }
    }
    context.settle()
  }
}

@Suite struct AllocationTests {
  #if DEBUG
  private static let isOptimised = false
  #else
  private static let isOptimised = true
  #endif

  @Test(
    .enabled(if: isOptimised, "an unoptimised build allocates in the standard library: run with -c release"),
    .enabled(if: allocation_count_available() != 0, "counting needs glibc without a sanitizer"))
  func aSteadyTickOfAHundredMovingMembersAllocatesNothing() throws {
    let steady = try SteadyRoom(members: 100, moving: 100)
    // Frames of several sizes need buffers of several classes, as many of each as the log ever holds at a time.
    for _ in 0..<1000 {
      steady.prepare()
      steady.receive()
      steady.step()
    }
    var (receiving, ticking): (UInt64, UInt64) = (0, 0)
    let inputs = steady.room.counters.inputs
    for _ in 0..<50 {
      steady.prepare()
      allocation_count_begin()
      steady.receive()
      receiving += allocation_count_end()
      allocation_count_begin()
      steady.step()
      ticking += allocation_count_end()
    }
    #expect(steady.room.counters.inputs - inputs == 5000)
    #expect(receiving == 0)
    #expect(ticking == 0)
  }

  @Test func aTickIsSerialisedOnceHoweverManyWatch() throws {
    func frames(members: Int) throws -> (frames: UInt64, bytes: UInt64, sent: Int) {
      let steady = try SteadyRoom(members: members, moving: 10)
      for _ in 0..<5 { steady.step() }
      let before = (steady.room.counters.frames, steady.room.counters.frameBytes, steady.bytes)
      for _ in 0..<20 {
        steady.prepare()
        steady.receive()
        steady.step()
      }
      let after = steady.room.counters
      return (after.frames - before.0, after.frameBytes - before.1, steady.bytes - before.2)
    }
    // Where most of a room move, a frame is shorter: it names the others.
    let (few, many) = (try frames(members: 50), try frames(members: 1000))
    #expect(few.frames == 20 && many.frames == 20)
    #expect(few.bytes == many.bytes)
    // Acknowledgements aside the same bytes a member.
    #expect(many.sent - few.sent == 950 * Int(few.bytes))
  }
}
