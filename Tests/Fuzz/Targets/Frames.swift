import WireFormat

/// Applies frames to a mirror of a schema that the input brings, or of the sample schema. After each frame the state is
/// encoded as a keyframe: who joins by it must see the same.
func frameFaults(_ bytes: [UInt8]) throws -> [String] {
  var input = FuzzInput(bytes)
  var schema = try SampleSchema.make()
  var faults: [String] = []
  if input.byte() & 1 != 0 {
    let encoded = input.take(input.word())
    guard let decoded = try? Schema(decoding: encoded.span) else { return [] }
    if decoded.encoded != encoded { faults.append("the schema \(encoded) is encoded as \(decoded.encoded)") }
    schema = decoded
  }
  // Larger ones are valid, but would take all of the fuzzer's time.
  guard schema.layouts.reduce(0, { $0 + $1.rowBytes * $1.capacity }) <= 4 * 1024 * 1024 else { return faults }
  let isSmall = FrameEncoder.stateBound(schema.layouts) <= 64 * 1024
  var mirror = StateMirror(schema)
  var content = FrameContent()
  while !input.isEmpty {
    let body = input.take(input.word())
    guard (try? mirror.apply(body.span, into: &content)) != nil else { break }
    faults += disagreements(of: content, with: mirror)
    if isSmall { faults += joinerFaults(mirror, schema) }
    if !faults.isEmpty { break }
  }
  return faults
}

/// What the decoder says happened, against what is there.
private func disagreements(of content: FrameContent, with mirror: StateMirror) -> [String] {
  var faults: [String] = []
  if content.changed.count != content.masks.count {
    faults.append("\(content.changed.count) entities changed, with \(content.masks.count) masks")
  }
  for entity in content.created + content.changed
  where !mirror.tables[Int(entity.kind.rawValue)].contains(Int(entity.id)) {
    faults.append("\(entity) was created or changed and is not there")
  }
  for table in mirror.tables {
    var count = 0
    table.forEach { _ in count += 1 }
    if count != table.count { faults.append("\(table.count) entities are counted, \(count) are there") }
  }
  return faults
}

private func joinerFaults(_ mirror: StateMirror, _ schema: Schema) -> [String] {
  var tables = schema.layouts.map { TrackedTable($0) }
  var sources = mirror.tables
  for kind in tables.indices {
    let source = mirror.tables[kind]
    source.forEach { id in
      tables[kind].create(id, generation: source.generations[id], owner: source.owner(of: id))
      tables[kind].copy(source.layout.allFields, from: &sources, row: id, to: id)
    }
  }
  let bound = FrameEncoder.stateBound(schema.layouts)
  var encoder = FrameEncoder(entities: schema.layouts.map(\.capacity).max() ?? 0)
  let frame = encodedBytes(bound: bound) { _ = encoder.encodeChanges(of: &tables, into: &$0) }
  let keyframe = encodedBytes(bound: bound) { _ = encoder.encodeKeyframe(of: tables, into: &$0) }
  return [(false, frame), (true, keyframe)].compactMap { isKeyframe, state in
    var joiner = StateMirror(schema)
    var content = FrameContent()
    let body = encodedBytes(bound: state.count + 8) { out in
      out.put(byte: (isKeyframe ? 1 : 0) | (state.isEmpty ? 0 : 4))
      out.put(varint: 1)
      out.put(varint: isKeyframe ? 0 : 1)
      out.put(raw: state.span)
    }
    do throws(WireError) {
      try joiner.apply(body.span, into: &content)
    } catch {
      return "the state as a \(isKeyframe ? "keyframe" : "frame") is refused: \(error)"
    }
    return joiner.hash == mirror.hash ? nil : "who has the \(isKeyframe ? "keyframe" : "frame") sees another state"
  }
}
