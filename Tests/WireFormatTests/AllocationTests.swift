import CAllocationCounter
import Testing
import WireFormat

/// A room of 100 entities that all move in every tick, and a mirror that follows: the steady state of server and
/// client.
struct SteadyRoom: ~Copyable {
  static let entities = 100
  let schema: Schema
  private(set) var tables: [TrackedTable]
  private(set) var mirror: StateMirror
  private var encoder = FrameEncoder(entities: SteadyRoom.entities)
  private var content = FrameContent()
  private let buffer: UnsafeMutableRawBufferPointer
  private(set) var frameBytes = 0
  private var tick: UInt32 = 0

  init() throws {
    schema = try Schema([
      EntityKind(
        "avatar", capacity: SteadyRoom.entities,
        fields: [
          Field("position", .vector(3, range: -512...512, step: 0.01)), Field("yaw", .angle(steps: 360)),
          Field("animation", .unsigned(bits: 8)),
        ])
    ])
    tables = schema.layouts.map { TrackedTable($0) }
    mirror = StateMirror(schema)
    buffer = .allocate(byteCount: FrameEncoder.stateBound(schema.layouts) + 16, alignment: 8)
    for id in 0..<SteadyRoom.entities { tables[0].create(id, generation: 0, owner: nil) }
  }

  deinit { buffer.deallocate() }

  mutating func move() {
    tick += 1
    let step = Int32(truncatingIfNeeded: tick)
    for id in 0..<SteadyRoom.entities {
      let base = Int32(truncatingIfNeeded: id) * 7
      for column in 0..<3 {
        let way = step &* 13 &+ base &* Int32(truncatingIfNeeded: column + 1)
        tables[0].current.setWord(column, id, way % 51200)
      }
      tables[0].current.setWord(3, id, (step * 5 + base) % 360)
      tables[0].current.setWord(4, id, (step + base) & 255)
      tables[0].touch(id)
    }
  }

  mutating func encode() {
    var out = OutputRawSpan(buffer: buffer, initializedCount: 0)
    out.put(byte: 4)
    out.put(varint: UInt64(tick))
    out.put(varint: 1)
    _ = encoder.encodeChanges(of: &tables, into: &out)
    frameBytes = out.finalize(for: buffer)
  }

  mutating func apply() throws(WireError) {
    let start = UnsafeRawPointer(buffer.baseAddress)?.assumingMemoryBound(to: UInt8.self)
    try mirror.apply(UnsafeBufferPointer(start: start, count: frameBytes).span, into: &content)
  }
}

@Suite struct AllocationTests {
  #if DEBUG
  private static let isOptimised = false
  #else
  private static let isOptimised = true
  #endif

  @Test func theCounterCountsWhatThisThreadAllocates() {
    guard allocation_count_available() != 0 else { return }
    allocation_count_begin()
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 8)
    let count = allocation_count_end()
    memory.deallocate()
    #expect(count == 1)
  }

  @Test(
    .enabled(if: isOptimised, "an unoptimised build allocates in the standard library: run with -c release"),
    .enabled(if: allocation_count_available() != 0, "counting needs glibc without a sanitizer"))
  func aSteadyFrameAllocatesNothingToEncodeAndToApply() throws {
    var room = try SteadyRoom()
    for _ in 0..<10 {
      room.move()
      room.encode()
      try room.apply()
    }
    var encoding: UInt64 = 0
    var applying: UInt64 = 0
    for _ in 0..<50 {
      room.move()
      allocation_count_begin()
      room.encode()
      encoding += allocation_count_end()
      allocation_count_begin()
      try room.apply()
      applying += allocation_count_end()
    }
    #expect(encoding == 0)
    #expect(applying == 0)
    #expect(room.mirror.tables[0].word(3, 99) == room.tables[0].current.word(3, 99))
  }
}
