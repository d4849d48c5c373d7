package import WireFormat

/// A scripted room: changes its state and records a `frames` vector step for each frame.
struct RoomScript {
  let schema: Schema
  var tables: [TrackedTable]
  private var encoder: FrameEncoder
  private(set) var tick: UInt32
  private var lastEvent: UInt64 = 0
  private(set) var steps: [JSONValue] = []

  /// Starts with the keyframe of an empty room.
  init(_ schema: Schema, tick: UInt32 = 10) {
    self.schema = schema
    self.tick = tick
    tables = schema.layouts.map { TrackedTable($0) }
    encoder = FrameEncoder(entities: schema.layouts.map(\.capacity).max() ?? 0)
    keyframe()
  }

  mutating func create(_ kind: Int, _ id: Int, generation: UInt8 = 0, owner: UInt16? = nil, _ values: [JSONValue] = [])
    throws
  {
    tables[kind].create(id, generation: generation, owner: owner.map { PlayerID(rawValue: $0) })
    for (field, value) in values.enumerated() { try set(kind, id, field, value) }
  }

  mutating func set(_ kind: Int, _ id: Int, _ field: Int, _ value: JSONValue) throws {
    try EntityValues.store(value, schema.layouts[kind].fields[field], of: id, in: &tables[kind].current)
    tables[kind].touch(id)
  }

  mutating func remove(_ kind: Int, _ id: Int) { tables[kind].remove(id) }

  /// Seals the changes since the last frame.
  mutating func frame(span: UInt32 = 1, _ events: [FrameEvent] = []) {
    tick += span
    let first = lastEvent + 1
    lastEvent += UInt64(events.count { $0.isReliable })
    let state = encodedBytes(bound: FrameEncoder.stateBound(schema.layouts)) {
      _ = encoder.encodeChanges(of: &tables, into: &$0)
    }
    var head = FrameHead(isKeyframe: false, tick: tick)
    head.spanOrLastEvent = UInt64(span)
    record(head, first, events, state)
  }

  /// The whole state at this tick.
  mutating func keyframe() {
    let state = encodedBytes(bound: FrameEncoder.stateBound(schema.layouts)) {
      _ = encoder.encodeKeyframe(of: tables, into: &$0)
    }
    var head = FrameHead(isKeyframe: true, tick: tick)
    head.spanOrLastEvent = lastEvent
    record(head, 0, [], state)
  }

  private mutating func record(_ head: FrameHead, _ first: UInt64, _ events: [FrameEvent], _ state: [UInt8]) {
    let bytes = FrameMessage.bytes(head, firstReliable: first, events, state: state.isEmpty ? nil : state)
    var number = first
    let told = events.map { event -> JSONValue in
      defer { number += event.isReliable ? 1 : 0 }
      return FrameEventDescription.event(
        number: event.isReliable ? number : nil, sender: event.sender, isForSender: event.isForSender,
        code: event.code, payload: event.payload)
    }
    let current = tables.map(\.current)
    steps.append([
      "hex": .hex(bytes), "tick": .integer(UInt64(head.tick)),
      "hash": .string(WireHex.text(StateDescription.hash(current))),
      "entities": StateDescription.entities(current), "events": .array(told),
    ])
  }

  func vector(_ name: String) -> JSONValue {
    ["name": .string(name), "kind": "frames", "schemaHex": .hex(schema.encoded), "steps": .array(steps)]
  }
}

/// An event as a `frames` vector tells it.
package enum FrameEventDescription {
  package static func event(
    number: UInt64?, sender: PlayerID?, isForSender: Bool, code: UInt16, payload: [UInt8]
  ) -> JSONValue {
    [
      "number": number.map { .integer($0) } ?? .null, "sender": sender.map { .int(Int($0.rawValue)) } ?? .null,
      "notForSender": .bool(!isForSender), "code": .int(Int(code)), "payloadHex": .hex(payload),
    ]
  }
}
