import BotSwarm
import Glibc
import WireFormat

/// What a frame of moving bots takes, in bytes and in time to encode and to decode: the bots' own movement, without
/// sockets and jitter, so that the bytes are the same in each run.
struct CodecCase {
  enum Turn {
    /// In whole degrees.
    case yaw
    /// As a quaternion of 10 bits.
    case rotation
  }

  let profile: MovementProfile
  let turn: Turn
  let entities: Int
}

/// A room of one kind whose entities all move in each tick, and a mirror that follows.
private struct MovingRoom: ~Copyable {
  private let place = FixedPoint(range: -512...512, step: 0.01)
  private let turn: CodecCase.Turn
  let schema: Schema
  private var movers: [Mover]
  private var tables: [TrackedTable]
  private var mirror: StateMirror
  private var encoder: FrameEncoder
  private var content = FrameContent()
  private let buffer: UnsafeMutableRawBufferPointer
  private var count = 0
  private var tick: UInt32 = 0

  init(_ one: CodecCase) throws {
    turn = one.turn
    let facing = turn == .yaw ? Field("yaw", .angle(steps: 360)) : Field("rotation", .quaternion(bits: 10))
    schema = try Schema([
      EntityKind(
        "avatar", capacity: one.entities,
        fields: [Field("position", .vector(3, place)), facing, Field("animation", .unsigned(bits: 4))])
    ])
    let area = Mover.Area(x: -50...50, y: -50...50)
    movers = (0..<one.entities).map { Mover(one.profile, in: area, seed: 1 + UInt64($0) * 7_919) }
    tables = schema.layouts.map { TrackedTable($0) }
    mirror = StateMirror(schema)
    encoder = FrameEncoder(entities: one.entities)
    buffer = .allocate(byteCount: FrameEncoder.stateBound(schema.layouts) + 16, alignment: 8)
    for id in 0..<one.entities { tables[0].create(id, generation: 0, owner: nil) }
  }

  deinit { buffer.deallocate() }

  mutating func move() {
    tick += 1
    for id in movers.indices {
      movers[id].step(seconds: 1.0 / 30)
      tables[0].current.setWord(0, id, place.quantise(movers[id].x))
      tables[0].current.setWord(2, id, place.quantise(movers[id].y))
      setTurn(of: id)
      tables[0].current.setWord(turn == .yaw ? 4 : 7, id, Int32(movers[id].animation))
      tables[0].touch(id)
    }
  }

  private mutating func setTurn(of id: Int) {
    let heading = movers[id].heading
    switch turn {
    case .yaw: tables[0].current.setWord(3, id, Int32((heading * 180 / .pi).rounded()) % 360)
    case .rotation:
      let parts = Quaternion(w: cos(heading / 2), x: 0, y: sin(heading / 2), z: 0).quantised(bits: 10)
      for (offset, word) in [parts.index, parts.a, parts.b, parts.c].enumerated() {
        tables[0].current.setWord(3 + offset, id, word)
      }
    }
  }

  /// - Returns: bytes of the state part.
  mutating func encode(isKeyframe: Bool) -> Int {
    var out = OutputRawSpan(buffer: buffer, initializedCount: 0)
    out.put(byte: isKeyframe ? 5 : 4)
    out.put(varint: UInt64(tick))
    out.put(varint: isKeyframe ? 0 : 1)
    let head = out.byteCount
    if isKeyframe {
      _ = encoder.encodeKeyframe(of: tables, into: &out)
    } else {
      _ = encoder.encodeChanges(of: &tables, into: &out)
    }
    count = out.finalize(for: buffer)
    return count - head
  }

  mutating func decode() throws -> Int {
    let start = UnsafeRawPointer(buffer.baseAddress)?.assumingMemoryBound(to: UInt8.self)
    try mirror.apply(UnsafeBufferPointer(start: start, count: count).span, into: &content)
    return content.changed.count
  }
}

func measureCodec(_ one: CodecCase) throws {
  var room = try MovingRoom(one)
  var (encoding, decoding) = ([Duration](), [Duration]())
  var (bytes, updates) = (0, 0)
  let clock = ContinuousClock()
  for tick in 0..<600 {
    room.move()
    var size = 0
    let encoded = clock.measure { size = room.encode(isKeyframe: false) }
    var changed = 0
    let decoded = try clock.measure { changed = try room.decode() }
    // The first second is the start from standing.
    guard tick >= 30 else { continue }
    encoding.append(encoded)
    decoding.append(decoded)
    bytes += size
    updates += changed
  }
  let keyframe = room.encode(isKeyframe: true)
  let perEntity = (Double(bytes) / Double(updates) * 1000).rounded() / 1000
  let perKeyframe = (Double(keyframe) / Double(one.entities) * 10).rounded() / 10
  print(
    "\(one.profile.rawValue), \(one.turn), \(one.entities) entities: \(perEntity) bytes an entity and tick, keyframe \(perKeyframe); "
      + "encode \((median(encoding) * 100).rounded() / 100) us a frame, decode \((median(decoding) * 100).rounded() / 100) us"
  )
}
