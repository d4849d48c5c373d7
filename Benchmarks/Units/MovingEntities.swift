import WireFormat

/// Entities that all move in every step, their encoder and a mirror that follows: no room, no players.
package final class MovingEntities {
  private let entities: Int
  private var tables: [TrackedTable]
  private var encoder: FrameEncoder
  private var mirror: StateMirror
  private var content = FrameContent()
  private var step = 0
  private let space: UnsafeMutableRawBufferPointer

  package init(_ entities: Int) throws {
    self.entities = entities
    let schema = try Walking.schema(capacity: entities)
    tables = schema.layouts.map { TrackedTable($0) }
    encoder = FrameEncoder(entities: entities)
    mirror = StateMirror(schema)
    space = .allocate(byteCount: 64 + FrameEncoder.stateBound(schema.layouts), alignment: 16)
    for id in 0..<entities { tables[0].create(id, generation: 1, owner: nil) }
    try advance()
  }

  deinit { space.deallocate() }

  /// Moves all of them, encodes what changed, applies it to the mirror.
  fileprivate func advance(encoding: Meter = { $0() }, decoding: Meter = { $0() }) throws {
    step += 1
    for id in 0..<entities {
      for (column, word) in Walking.words(of: id, step: step).enumerated() {
        tables[0].current.setWord(column, id, word)
      }
      tables[0].touch(id)
    }
    var count = 0
    encoding { count = encode() }
    var failure: WireError?
    decoding { failure = decode(count) }
    if let failure { throw failure }
    guard content.changed.count == entities else {
      throw UnitFailure("\(content.changed.count) of \(entities) entities changed")
    }
  }

  private func encode() -> Int {
    var out = OutputRawSpan(buffer: space, initializedCount: 0)
    out.put(byte: 4)
    out.put(varint: step)
    out.put(varint: 1)
    _ = encoder.encodeChanges(of: &tables, into: &out)
    return out.finalize(for: space)
  }

  private func decode(_ count: Int) -> WireError? {
    let body = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(space)[..<count])
    return body.withMemoryRebound(to: UInt8.self) { bytes in
      do throws(WireError) {
        try mirror.apply(bytes.span, into: &content)
        return nil
      } catch {
        return error
      }
    }
  }
}

/// What changed in a tick becomes a frame; a unit is one entity of it.
package struct Encoding: MeasuredUnit {
  private let moving: MovingEntities
  private let entities: Int

  package init(entities: Int) throws {
    self.entities = entities
    moving = try MovingEntities(entities)
  }

  package func run(rounds: Int, _ meter: Meter) throws -> Int {
    for _ in 0..<rounds { try moving.advance(encoding: meter) }
    return rounds * entities
  }
}

/// A client applies a frame to its mirror; a unit is one entity of it.
package struct Decoding: MeasuredUnit {
  private let moving: MovingEntities
  private let entities: Int

  package init(entities: Int) throws {
    self.entities = entities
    moving = try MovingEntities(entities)
  }

  package func run(rounds: Int, _ meter: Meter) throws -> Int {
    for _ in 0..<rounds { try moving.advance(decoding: meter) }
    return rounds * entities
  }
}
