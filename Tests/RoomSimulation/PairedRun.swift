import RoomEngine
import RoomTestKit
import WireFormat

/// 5: the same game twice, with a member that keeps up and with one that stalls, dribbles, vanishes and comes back. The
/// others must get the same bytes in the same ticks.
package struct PairedRun {
  private let seed: UInt64

  package init(seed: UInt64) { self.seed = seed }

  package func faults() throws -> [String] {
    let calm = try life(isDisturbed: false)
    let disturbed = try life(isDisturbed: true)
    guard calm.faults.isEmpty, disturbed.faults.isEmpty else { return calm.faults + disturbed.faults }
    guard let tick = zip(calm.received, disturbed.received).enumerated().first(where: { $1.0 != $1.1 }) else {
      return []
    }
    return ["a member that stalls changed what others got in step \(tick.offset)"]
  }

  private func life(isDisturbed: Bool) throws -> (received: [[UInt64]], faults: [String]) {
    var script = SplitMix64(seed: seed)
    var network = SplitMix64(seed: seed ^ 0xA5A5)
    var limits = RoomLimits()
    limits.frameLogFrames = 2 + script.below(12)
    limits.stallDeadline = .milliseconds(100 + script.below(900))
    limits.lagDeadline = .milliseconds(100 + script.below(1900))
    // It keeps its seat whatever happens to its connection: a seat given up is news for all.
    limits.grace = .seconds(3600)
    let keys = try RandomSchema()
    let room = ScriptedGame.room(seed: script.next(), keys, limits, capacity: 6)
    let burden = room.join()
    let others = (0...script.below(4)).map { _ in room.join() }
    room.afterTick = { [unowned room] in room.check(others + [burden]) }
    room.advance(ticks: 2)
    var received: [[UInt64]] = []
    for _ in 0..<60 {
      for other in others where script.oneIn(2) { try move(other, keys, &script) }
      if script.oneIn(3), let one = others.randomElement(using: &script) {
        one.raise(20, [UInt8(script.below(256))], to: script.oneIn(2) ? .others : .all)
      }
      if isDisturbed { disturb(burden, &network) }
      room.advance(ticks: 1)
      received.append(others.map { $0.connection?.digest ?? 0 })
    }
    room.finish()
    return (received, room.faults)
  }

  private func move(_ client: SimulatedClient, _ keys: RandomSchema, _ script: inout SplitMix64) throws {
    let (x, y) = (Double(script.below(200)) - 100, Double(script.below(200)) - 100)
    guard let avatar = client.ownEntities(RandomSchema.avatar).first else { return }
    try client.set(keys.position, of: avatar, to: SIMD2(x, y))
  }

  private func disturb(_ client: SimulatedClient, _ network: inout SplitMix64) {
    guard let connection = client.connection, client.isConnected else {
      if network.oneIn(4) { client.connect() }
      return
    }
    switch network.below(14) {
    case 0: connection.flow()
    case 1, 2, 3:
      connection.stall()
      connection.grant(network.oneIn(2) ? 0 : network.below(300))
    case 4: connection.trickleBytes = network.below(100)
    case 5: connection.mostBytesPerWrite = network.below(200)
    case 6 where network.oneIn(4): connection.cut(afterBytes: network.below(500))
    case 7 where network.oneIn(4): connection.failWrites(afterBytes: network.below(500))
    case 8 where network.oneIn(4): client.connect()
    default: break
    }
  }
}
