import ClientCore
import Testing
import WireFormat

struct InterpolationTests {
  /// A server, its mirror, and the buffer fed by its frames.
  private final class Rig {
    var server: ScriptedServer
    var mirror: StateMirror
    var content = FrameContent()
    var buffer = InterpolationBuffer()
    let entity = EntityID(kind: KindIndex(0), id: 1)

    init() throws {
      server = try ScriptedServer(tick: 10)
      mirror = StateMirror(server.schema)
      server.create(1)
      try apply(server.frame())
    }

    func apply(_ message: [UInt8]) throws {
      var assembler = MessageAssembler(limit: 1 << 20)
      var bodies: [[UInt8]] = []
      _ = try assembler.feed(message.span) { _, body in
        bodies.append(body.array(0..<body.count))
        return .proceed
      }
      for body in bodies { try mirror.apply(body.span, into: &content) }
      buffer.record(content, mirror.tables)
    }

    func read<Value>(_ key: FieldKey<Value>, _ tick: Double) -> Value? {
      buffer.value(key, of: entity, at: tick, mirror)
    }
  }

  @Test func vectorsAreLinearBetweenFramesAndHeldOutside() throws {
    let rig = try Rig()
    let key = try rig.server.schema.key("avatar", "position", as: SIMD3<Double>.self)
    #expect(rig.read(key, 11) == SIMD3(0, 0, 0))
    try rig.server.set("position", 1, SIMD3(1, 2, -4))
    try rig.apply(rig.server.frame())
    #expect(rig.read(key, 5) == SIMD3(0, 0, 0))
    #expect(rig.read(key, 11.5) == SIMD3(0.5, 1, -2))
    #expect(rig.read(key, 12) == SIMD3(1, 2, -4))
    #expect(rig.read(key, 99) == SIMD3(1, 2, -4))
  }

  @Test func standingStillIsNotASlowMove() throws {
    let rig = try Rig()
    let key = try rig.server.schema.key("avatar", "position", as: SIMD3<Double>.self)
    _ = rig.read(key, 11)
    try rig.apply(rig.server.frame(span: 20))
    try rig.apply(rig.server.frame(span: 9))
    try rig.server.set("position", 1, SIMD3(10, 0, 0))
    try rig.apply(rig.server.frame())
    // Frames 31 and 40 said nothing about it, so it stood there until 40 and moved between 40 and 41.
    #expect(rig.read(key, 25) == SIMD3(0, 0, 0))
    #expect(rig.read(key, 40) == SIMD3(0, 0, 0))
    #expect(rig.read(key, 40.5) == SIMD3(5, 0, 0))
  }

  @Test func anglesTakeTheShortestWay() throws {
    let rig = try Rig()
    let key = try rig.server.schema.key("avatar", "yaw", as: Double.self)
    try rig.server.set("yaw", 1, 350.0)
    try rig.apply(rig.server.frame())
    _ = rig.read(key, 12)
    try rig.server.set("yaw", 1, 30.0)
    try rig.apply(rig.server.frame())
    #expect(rig.read(key, 12.25) == 0)
    #expect(rig.read(key, 12.75) == 20)
  }

  @Test func integersStep() throws {
    let rig = try Rig()
    let key = try rig.server.schema.key("avatar", "health", as: Int.self)
    _ = rig.read(key, 11)
    try rig.server.set("health", 1, 100)
    try rig.apply(rig.server.frame())
    #expect(rig.read(key, 11.9) == 0)
    #expect(rig.read(key, 12) == 100)
  }

  @Test func anotherEntityOfTheSameIdHasNoPast() throws {
    let rig = try Rig()
    let key = try rig.server.schema.key("avatar", "position", as: SIMD3<Double>.self)
    try rig.server.set("position", 1, SIMD3(1, 1, 1))
    try rig.apply(rig.server.frame())
    _ = rig.read(key, 12)
    rig.server.remove(1)
    try rig.apply(rig.server.frame())
    #expect(rig.read(key, 12) == nil)
    rig.server.create(1, generation: 1)
    try rig.server.set("position", 1, SIMD3(9, 9, 9))
    try rig.apply(rig.server.frame())
    #expect(rig.read(key, 12) == SIMD3(9, 9, 9))
  }

  @Test func longMotionKeepsTheNewestSamples() throws {
    let rig = try Rig()
    let key = try rig.server.schema.key("avatar", "position", as: SIMD3<Double>.self)
    _ = rig.read(key, 11)
    for step in 1...50 {
      try rig.server.set("position", 1, SIMD3(Double(step), 0, 0))
      try rig.apply(rig.server.frame())
    }
    #expect(rig.read(key, 60.5) == SIMD3(49.5, 0, 0))
    #expect(rig.read(key, 58.25) == SIMD3(47.25, 0, 0))
  }

  @Test func quaternionsStayUnitAndTakeTheShorterWay() {
    let quarter = Quaternion(w: 0.5.squareRoot(), x: 0, y: 0, z: 0.5.squareRoot())
    let type = FieldType.quaternion(bits: 12)
    let half = Quaternion.identity.interpolated(to: quarter, fraction: 0.5, in: type)
    // An eighth of a turn about z.
    #expect(abs(half.w - 0.92388) < 1e-5 && abs(half.z - 0.38268) < 1e-5)
    let negated = Quaternion(w: -quarter.w, x: 0, y: 0, z: -quarter.z)
    let other = Quaternion.identity.interpolated(to: negated, fraction: 0.5, in: type)
    #expect(abs(other.w - half.w) < 1e-9 && abs(other.z - half.z) < 1e-9)
  }
}
