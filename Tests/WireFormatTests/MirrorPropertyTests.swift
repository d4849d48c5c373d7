import Testing
import VectorGenerator
import WireFormat

/// Rooms of random schemas and random changes: whoever follows the frames, or joins at any tick, holds the room's
/// state.
@Suite struct MirrorPropertyTests {
  @Test(arguments: 1...UInt64(12))
  func mirrorsHoldTheStateOfTheRoom(seed: UInt64) throws {
    var room = try PropertyRoom(seed: seed)
    var follower = StateMirror(room.schema)
    var content = FrameContent()
    let start = room.keyframe()
    try follower.apply(start.span, into: &content)
    for _ in 0..<200 {
      room.change()
      let frame = room.frame()
      try follower.apply(frame.span, into: &content)
      let state = room.tables.map(\.current)
      let hash = StateDescription.hash(state)
      try #require(follower.hash == hash, "seed \(seed), tick \(room.tick)")
      if room.tick.isMultiple(of: 40) {
        let isSame = StateDescription.entities(follower.tables) == StateDescription.entities(state)
        try #require(isSame, "seed \(seed), tick \(room.tick)")
      }
      if room.tick.isMultiple(of: 5) {
        var joiner = StateMirror(room.schema)
        let keyframe = room.keyframe()
        try joiner.apply(keyframe.span, into: &content)
        try #require(joiner.hash == hash, "seed \(seed), tick \(room.tick)")
        for (one, other) in zip(joiner.tables, follower.tables) {
          try #require(stepsByEntity(one) == stepsByEntity(other), "seed \(seed), tick \(room.tick)")
        }
      }
    }
    #expect(room.mostBytes <= room.stateBound)
  }

  /// What the next values are foretold from: who joined by a keyframe must foretell the same.
  private func stepsByEntity(_ table: EntityTable) -> [Int: [Int32]] {
    var found: [Int: [Int32]] = [:]
    table.forEach { id in
      found[id] = (0..<table.layout.columnCount).map { table.steps[$0 * table.rows + id] }
    }
    return found
  }

  @Test func aMirrorThatJoinsLateFollowsOn() throws {
    var room = try PropertyRoom(seed: 99)
    var content = FrameContent()
    for _ in 0..<20 {
      room.change()
      _ = room.frame()
    }
    var mirror = StateMirror(room.schema)
    let keyframe = room.keyframe()
    try mirror.apply(keyframe.span, into: &content)
    for _ in 0..<50 {
      room.change()
      let frame = room.frame()
      try mirror.apply(frame.span, into: &content)
    }
    #expect(mirror.hash == StateDescription.hash(room.tables.map(\.current)))
  }

  @Test func aKeyframeEmptiesTheMirrorFirst() throws {
    var room = try PropertyRoom(seed: 7)
    var mirror = StateMirror(room.schema)
    var content = FrameContent()
    let empty = room.keyframe()
    room.change()
    room.change()
    let full = room.frame()
    try mirror.apply(full.span, into: &content)
    #expect(mirror.hash != 0)
    try mirror.apply(empty.span, into: &content)
    #expect(mirror.hash == 0)
    #expect(mirror.tables.allSatisfy { $0.count == 0 })
    try mirror.apply(full.span, into: &content)
    #expect(mirror.hash == StateDescription.hash(room.tables.map(\.current)))
  }
}
