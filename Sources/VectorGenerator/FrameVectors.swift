import WireFormat

/// `frames.json`: sequences of frames, each about one part of the layout.
enum FrameVectors {
  static func vectors() throws -> [JSONValue] {
    [
      try lifecycle(), try idForms(), try presence(), try widths(), try motion(), try turns(), try everyType(),
      try wraps(), try events(), try keyframes(), try kinds(),
    ]
  }

  /// Creation, owners, generations, removal, an id used again, and entities that leave no trace.
  private static func lifecycle() throws -> JSONValue {
    var room = RoomScript(SampleSchema.full)
    try room.create(0, 0)
    try room.create(0, 5, generation: 255, owner: 0, SampleSchema.typical)
    try room.create(0, 299, generation: 1, owner: 65535)
    room.frame()
    room.frame(span: 30)  // nothing changed: a heartbeat
    room.remove(0, 5)
    room.frame()
    try room.create(0, 5, generation: 0, owner: 9, [1])
    room.remove(0, 299)
    room.frame(span: 2)
    try room.create(0, 7, generation: 4)
    room.remove(0, 7)
    room.frame()  // created and removed between two frames
    room.remove(0, 5)
    try room.create(0, 5, generation: 1, owner: nil, SampleSchema.highest)
    room.frame()  // removed and created again in one frame
    try room.set(0, 5, 1, 77)
    try room.set(0, 5, 1, 1_048_575)
    room.frame()  // written and written back
    room.remove(0, 0)
    room.remove(0, 5)
    room.frame()
    return room.vector("lifecycle")
  }

  /// Changed ids as gaps, as bitmaps, and by those that did not change.
  private static func idForms() throws -> JSONValue {
    var room = RoomScript(SampleSchema.flags)
    for id in stride(from: 0, to: 1000, by: 37) { try room.create(0, id, [1]) }
    room.frame()  // far apart: gaps
    for id in 100..<140 where !id.isMultiple(of: 37) { try room.create(0, id, [1]) }
    room.frame()  // close together: a bitmap
    for id in stride(from: 0, to: 1000, by: 37) { try room.set(0, id, 1, 1) }
    room.frame()
    for id in 101..<140 { try room.set(0, id, 2, 1) }
    room.frame()
    try room.set(0, 999, 5, 1)
    room.frame()  // the last id alone
    for id in 0..<1000 where room.tables[0].current.contains(id) { try room.set(0, id, 3, 1) }
    room.frame()  // all
    for id in 0..<1000 where room.tables[0].current.contains(id) && id != 111 && id != 120 {
      try room.set(0, id, 3, 0)
    }
    room.frame()  // all but two
    return room.vector("gaps, bitmaps and all but some")
  }

  /// Fields that nobody has, all have, some have and few have.
  private static func presence() throws -> JSONValue {
    var room = RoomScript(SampleSchema.flags)
    for id in 0..<64 { try room.create(0, id) }
    room.frame()
    for divisor in [1, 2, 3, 5, 20, 63] {
      for id in 0..<63 {
        try flip(&room, id, 0)
        for field in 1..<5 where id % divisor == field % divisor { try flip(&room, id, field) }
      }
      room.frame()
    }
    try flip(&room, 62, 5)
    room.frame()  // one field of one entity
    return room.vector("presence")
  }

  /// Columns of every parameter: values of every width, and zeros.
  private static func widths() throws -> JSONValue {
    var room = RoomScript(SampleSchema.full)
    for id in 0..<8 { try room.create(1, id) }
    room.frame()
    for width in 0...32 {
      for id in 0..<8 {
        let most = (1 << width) - 1
        let value = (most >> (id % 4)) ^ (id & 1)
        try room.set(1, id, 0, .int(value & 0xFFFF_FFFF))
        try room.set(1, id, 1, .int(Int(Int32(truncatingIfNeeded: -value))))
      }
      room.frame()
    }
    for id in 0..<7 { try room.set(1, id, 0, 4_294_967_295) }
    try room.set(1, 7, 0, 2_147_483_648)
    room.frame()
    for id in 0..<7 { try room.set(1, id, 0, .int(4_294_967_295 - id)) }
    try room.set(1, 7, 0, 0)
    room.frame()  // one value of 32 bits among small ones
    return room.vector("values of every width")
  }

  /// Motion that is foretold: straight, halted, resumed, turned, far away at once; and seen by who joins in the middle.
  private static func motion() throws -> JSONValue {
    var room = RoomScript(SampleSchema.full)
    for id in 0..<6 { try room.create(0, id) }
    room.frame()
    func walk(_ tick: Int) throws {
      for id in 0..<6 where id != 5 || !(3...5).contains(tick) {
        let way = tick * (10 + id) + tick * tick * id / 4
        try room.set(0, id, 3, .int(way))
        try room.set(0, id, 4, .array([.int(-way), 0, .int(100 + 2 * way)]))
        try room.set(0, id, 6, .array([0, .int(way % 500), .int(-way % 400), 0]))
      }
      room.frame()
    }
    for tick in 1...8 { try walk(tick) }
    room.keyframe()
    for tick in 9...10 { try walk(tick) }
    try room.set(0, 1, 3, 50000)
    try room.set(0, 1, 6, [1, 100, 100, 511])
    room.frame()
    for tick in 11...12 { try walk(tick) }
    room.remove(0, 2)
    try room.create(0, 2, generation: 1, owner: nil, [1, 0, 0, 300])
    room.frame()  // the new one of that id is not foretold from the old one's motion
    for tick in 13...14 { try walk(tick) }
    try room.set(0, 0, 3, 0)
    room.frame()
    room.keyframe()  // entity 0 is at 0, and has a step
    for tick in 15...16 { try walk(tick) }
    return room.vector("motion")
  }

  /// Turning at a steady rate through the full circle, both ways.
  private static func turns() throws -> JSONValue {
    let schema = SampleSchema.schema([
      EntityKind(
        "turret", capacity: 4, fields: [Field("yaw", .angle(steps: 360)), Field("odd", .angle(steps: 7))])
    ])
    var room = RoomScript(schema)
    for id in 0..<4 { try room.create(0, id) }
    for tick in 1...12 {
      for id in 0..<4 {
        let turn = [170, -170, 45, 3][id] * tick
        try room.set(0, id, 0, .int(((turn % 360) + 360) % 360))
        try room.set(0, id, 1, .int(((turn % 7) + 7) % 7))
      }
      room.frame()
      if tick == 6 { room.keyframe() }
    }
    return room.vector("turns")
  }

  private static func flip(_ room: inout RoomScript, _ id: Int, _ field: Int) throws {
    try room.set(0, id, field, room.tables[0].current.word(field, id) == 0 ? 1 : 0)
  }

  private static func everyType() throws -> JSONValue {
    var room = RoomScript(SampleSchema.full)
    try room.create(0, 1, owner: 1)
    try room.create(0, 2, owner: 2)
    room.frame()
    for values in [SampleSchema.typical, SampleSchema.lowest, SampleSchema.highest] {
      for (field, value) in values.enumerated() {
        try room.set(0, 1, field, value)
        room.frame()  // one field of one entity
      }
    }
    for (field, value) in SampleSchema.typical.enumerated() { try room.set(0, 2, field, value) }
    for (field, value) in SampleSchema.lowest.enumerated() { try room.set(0, 1, field, value) }
    room.frame()
    return room.vector("every field type")
  }

  /// Angles that turn both ways through 0, 32-bit values that wrap, quaternions that change their largest part.
  private static func wraps() throws -> JSONValue {
    let schema = SampleSchema.schema([
      EntityKind(
        "wrap", capacity: 2,
        fields: [
          Field("even", .angle(steps: 360)), Field("odd", .angle(steps: 7)), Field("fine", .angle(steps: 65536)),
          Field("unsigned", .unsigned(bits: 32)), Field("signed", .signed(bits: 32)),
          Field("fixed", .fixed(FixedPoint(low: .min, high: .max, step: 0.5))),
          Field("rotation", .quaternion(bits: 15)),
        ])
    ])
    var room = RoomScript(schema)
    try room.create(0, 0)
    let rows: [[JSONValue]] = [
      [359, 6, 65535, 4_294_967_295, -2_147_483_648, -2_147_483_648, [1, -16383, 0, 16383]],
      [0, 0, 0, 0, 2_147_483_647, 2_147_483_647, [2, 16383, -16383, 16383]],
      [180, 3, 32768, 2_147_483_648, -1, 0, [3, 1, 2, 3]],
      [0, 6, 32767, 2_147_483_647, 0, -1, [3, 1, 2, 4]],
      [179, 2, 65535, 1, 1, 1, [0, 0, 0, 0]],
      [358, 5, 1, 4_294_967_294, -2, 2, [1, 0, 0, 0]],
    ]
    for row in rows {
      for (field, value) in row.enumerated() { try room.set(0, 0, field, value) }
      room.frame()
    }
    return room.vector("wraps and rotations")
  }

  private static func events() throws -> JSONValue {
    var room = RoomScript(SampleSchema.full)
    let one = PlayerID(rawValue: 1)
    let joined = FrameEvent(isReliable: true, sender: nil, code: 1, payload: [1, 0])
    let said = FrameEvent(isReliable: true, sender: one, code: 16, payload: Array("hi".utf8))
    let waved = FrameEvent(isReliable: false, sender: one, isForSender: false, code: 17, payload: [])
    let shouted = FrameEvent(
      isReliable: true, sender: PlayerID(rawValue: 65535), isForSender: false, code: 65535,
      payload: Array(repeating: 0xFF, count: 1024))
    room.frame([joined])
    room.frame([waved])  // transient alone: has no number, and takes none
    room.frame([said, waved, shouted, waved, said])
    try room.create(0, 1, owner: 1, [1])
    room.frame(span: 3, [said])  // with state
    room.keyframe()
    room.frame([said, FrameEvent(isReliable: false, sender: nil, code: 18, payload: [0])])
    return room.vector("events")
  }

  private static func keyframes() throws -> JSONValue {
    var room = RoomScript(SampleSchema.full, tick: 4_294_967_000)
    room.frame(span: 5)
    try room.create(0, 3, generation: 2, owner: 4, SampleSchema.typical)
    try room.create(0, 4)
    try room.create(1, 65535, generation: 9, [4_294_967_295, -1])
    room.frame()
    room.keyframe()
    try room.set(0, 3, 5, 91)
    room.remove(0, 4)
    room.frame()
    room.keyframe()
    room.remove(0, 3)
    room.remove(1, 65535)
    room.frame(span: 100)
    room.keyframe()  // empty again
    return room.vector("keyframes")
  }

  /// Sections of several kinds with ids near both ends.
  private static func kinds() throws -> JSONValue {
    var room = RoomScript(SampleSchema.full)
    for id in [0, 1, 127, 128, 16384, 65535] { try room.create(1, id, generation: UInt8(id & 255), [.int(id)]) }
    room.frame()
    try room.create(0, 0, [1])
    for id in [0, 16384, 65535] { try room.set(1, id, 1, .int(-id)) }
    room.frame()
    room.remove(0, 0)
    room.remove(1, 127)
    try room.create(1, 129, owner: 127)
    try room.set(1, 128, 0, 0)
    room.frame()
    return room.vector("several kinds")
  }
}
