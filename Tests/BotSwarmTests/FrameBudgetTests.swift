import Testing
import WireFormat

@testable import BotSwarm

/// What moving bots may cost: the bots' own movement, encoded as a room does, without sockets, so that the figures are
/// the same on every machine.
@Suite struct FrameBudgetTests {
  /// Bytes of the frames of 100 bots in ten seconds by what changed in them; whole messages, with length and type.
  private func bytesPerEntity(_ profile: MovementProfile) throws -> Double {
    let place = FixedPoint(range: -512...512, step: 0.01)
    let schema = try Schema([
      EntityKind(
        "avatar", capacity: 100,
        fields: [
          Field("position", .vector(3, place)), Field("yaw", .angle(steps: 360)),
          Field("animation", .unsigned(bits: 4)),
        ])
    ])
    let area = Mover.Area(x: -50...50, y: -50...50)
    var movers = (0..<100).map { Mover(profile, in: area, seed: 1 + UInt64($0) * 7_919) }
    var tables = schema.layouts.map { TrackedTable($0) }
    for id in movers.indices { tables[0].create(id, generation: 0, owner: nil) }
    var encoder = FrameEncoder(entities: 100)
    var mirror = StateMirror(schema)
    var content = FrameContent()
    var (bytes, updates) = (0, 0)
    for tick in 1...330 {
      for id in movers.indices {
        movers[id].step(seconds: 1.0 / 30)
        tables[0].current.setWord(0, id, place.quantise(movers[id].x))
        tables[0].current.setWord(2, id, place.quantise(movers[id].y))
        tables[0].current.setWord(3, id, Int32((movers[id].heading * 180 / .pi).rounded()) % 360)
        tables[0].current.setWord(4, id, Int32(movers[id].animation))
        tables[0].touch(id)
      }
      let state = encodedBytes(bound: FrameEncoder.stateBound(schema.layouts)) {
        _ = encoder.encodeChanges(of: &tables, into: &$0)
      }
      let body = encodedBytes(bound: state.count + 8) { out in
        out.put(byte: 4)
        out.put(varint: tick)
        out.put(varint: 1)
        out.put(raw: state.span)
      }
      try mirror.apply(body.span, into: &content)
      guard tick > 30 else { continue }
      bytes += body.count + 3
      updates += content.changed.count
    }
    return Double(bytes) / Double(updates)
  }

  @Test func walkersTakeAByteAnEntityAndTick() throws {
    let bytes = try bytesPerEntity(.walk)
    #expect(bytes < 1, "\(bytes)")
  }

  @Test func wanderersTakeAByteAndAHalf() throws {
    let bytes = try bytesPerEntity(.wander)
    #expect(bytes < 1.5, "\(bytes)")
  }
}
