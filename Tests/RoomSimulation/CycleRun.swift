import RoomEngine
import RoomTestKit
import WireFormat

/// 9: visitors connect, stall, vanish, fail and leave, one after the other; after each, what the room holds is what it
/// held before.
package struct CycleRun {
  private static let cycles = 24
  private let seed: UInt64

  package init(seed: UInt64) { self.seed = seed }

  package func faults() throws -> [String] {
    var random = SplitMix64(seed: seed)
    var limits = RoomLimits()
    limits.frameLogFrames = 2 + random.below(12)
    limits.eventLogEvents = 16
    limits.stallDeadline = .milliseconds(100 + random.below(400))
    limits.lagDeadline = .milliseconds(100 + random.below(900))
    limits.grace = .milliseconds(100 + random.below(300))
    let keys = try RandomSchema()
    let room = ScriptedGame.room(seed: random.next(), keys, limits, capacity: 3)
    room.deadlines = SimulatedDeadlines(handshake: .seconds(1), idle: .seconds(1), ping: .milliseconds(200))
    let residents = [room.join(), room.join()]
    // Logs are full by then.
    room.advance(by: .seconds(4))
    let (before, bound) = (room.census, room.heldBuffers + limits.eventLogEvents)
    var visitors: [Visitor] = []
    for cycle in 0..<Self.cycles {
      visitors.append(visit(room, &random))
      room.check(residents)
      if room.census != before { return ["cycle \(cycle) left \(room.census) of \(before)"] }
      if room.heldBuffers > bound { return ["cycle \(cycle): \(room.heldBuffers) buffers are held, at most \(bound)"] }
    }
    // The room lets go of the last one's words in its next tick.
    room.advance(ticks: 1)
    let left = visitors.count { $0.delivery != nil }
    if left > 0 { return ["\(left) of \(Self.cycles) visitors are still referred to"] }
    room.finish()
    return room.faults
  }

  private struct Visitor {
    weak var delivery: Delivery?
  }

  /// One visitor's stay, until its seat is given up.
  private func visit(_ room: SimulatedRoom, _ random: inout SplitMix64) -> Visitor {
    let keepsItsEnd = random.oneIn(4)
    room.onConnect = { $0.keepsItsEnd = keepsItsEnd }
    defer { room.onConnect = nil }
    let client = random.oneIn(6) ? room.connect() : room.join()
    let connection = client.connection
    if random.oneIn(4) { connection?.failWrites(afterBytes: random.below(600)) }
    if random.oneIn(4) { connection?.cut(afterBytes: random.below(600)) }
    if random.oneIn(4) { connection?.stall() }
    room.advance(ticks: random.below(4))
    if client.isInRoom { client.raise(20, [1], to: .others) }
    switch random.below(6) {
    case 0: connection?.stall()
    case 1: connection?.cut()
    case 2: connection?.failWrites()
    case 3: if client.isInRoom { client.leave() }
    case 4:
      client.connect()
      room.advance(ticks: 1)
    default: break
    }
    room.advance(by: .seconds(1))
    client.connection?.vanish()
    // Long enough for the idle deadline, the grace period and the wait for those that keep their end open.
    room.advance(by: .seconds(4))
    room.forgetGoneClients()
    return Visitor(delivery: connection?.delivery)
  }
}
