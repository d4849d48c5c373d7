package import WireFormat

/// The recent past of the fields that a game reads between ticks, so that motion is shown smoothly a little late
/// instead of jumping at every frame.
///
/// Only fields that were asked for are recorded, from the first question on. A field that did not change for a while
/// held its value: the sample before a change stands at the frame before it.
package struct InterpolationBuffer: Sendable {
  /// Samples kept for each entity and field. At most two a frame: enough for three frames, one more than the usual
  /// delay.
  package static let depth = 8

  private struct Sample: Sendable {
    var tick: UInt32 = 0
    var words = SIMD4<Int32>()
  }

  /// The samples of one field of all entities of a kind.
  private struct Watch: Sendable {
    let kind: KindIndex
    let field: Int
    let layout: FieldLayout
    /// ``depth`` slots an id, oldest first.
    var samples: [Sample] = []
    /// Slots in use, an id.
    var counts: [UInt8] = []

    mutating func append(_ sample: Sample, _ id: Int) {
      if id >= counts.count {
        counts.append(contentsOf: repeatElement(0, count: max(16, id + 1) - counts.count))
        samples.append(contentsOf: repeatElement(Sample(), count: counts.count * depth - samples.count))
      }
      let start = id * depth
      if Int(counts[id]) == depth {
        for slot in 1..<depth { samples[start + slot - 1] = samples[start + slot] }
        counts[id] -= 1
      }
      samples[start + Int(counts[id])] = sample
      counts[id] += 1
    }

    func last(_ id: Int) -> Sample? {
      guard id < counts.count, counts[id] > 0 else { return nil }
      return samples[id * depth + Int(counts[id]) - 1]
    }

    mutating func forget(_ id: Int) {
      if id < counts.count { counts[id] = 0 }
    }
  }

  private var watches: [Watch] = []

  package init() {}

  /// Forgets everything, for another room.
  package mutating func removeAll() { watches.removeAll() }

  /// Records what a frame did; to be called after each, with the state as it then is.
  package mutating func record(_ frame: FrameContent, _ tables: [EntityTable]) {
    for index in watches.indices {
      let kind = watches[index].kind
      for entity in frame.removed where entity.kind == kind { watches[index].forget(Int(entity.id)) }
      for entity in frame.created where entity.kind == kind { watches[index].forget(Int(entity.id)) }
      let bit: UInt64 = 1 << UInt64(watches[index].field)
      let table = tables[Int(kind.rawValue)]
      for position in frame.changed.indices
      where frame.changed[position].kind == kind && frame.masks[position] & bit != 0 {
        add(index, Int(frame.changed[position].id), frame, table)
      }
    }
  }

  private mutating func add(_ index: Int, _ id: Int, _ frame: FrameContent, _ table: EntityTable) {
    let tick = frame.tick.rawValue
    if let last = watches[index].last(id) {
      // After a keyframe it is not known since when the old value had been left.
      if !frame.isKeyframe, last.tick < tick - frame.span {
        watches[index].append(Sample(tick: tick - frame.span, words: last.words), id)
      }
    }
    watches[index].append(Sample(tick: tick, words: table.words(of: watches[index].layout, id)), id)
  }

  /// The value of a field of an entity at a tick with its fraction; nil when there is no such entity.
  ///
  /// Before the oldest sample it is the oldest value, after the newest the newest: nothing is extrapolated. The first
  /// question for a field gets the present value and starts its recording.
  package mutating func value<Value>(
    _ key: FieldKey<Value>, of entity: EntityID, at tick: Double, _ mirror: StateMirror
  ) -> Value? {
    let id = Int(entity.id)
    guard Int(key.kind.rawValue) < mirror.tables.count, key.kind == entity.kind else { return nil }
    let table = mirror.tables[Int(key.kind.rawValue)]
    guard table.contains(id) else { return nil }
    // Blobs have no in-between.
    guard key.layout.columnCount > 0 else { return table.load(key, id) }
    let index = watch(key)
    if watches[index].last(id) == nil {
      let now = Sample(tick: mirror.tick?.rawValue ?? 0, words: table.words(of: key.layout, id))
      watches[index].append(now, id)
    }
    return Self.value(watches[index], key, id, tick)
  }

  private mutating func watch<Value>(_ key: FieldKey<Value>) -> Int {
    if let known = watches.firstIndex(where: { $0.kind == key.kind && $0.field == key.field }) { return known }
    watches.append(Watch(kind: key.kind, field: key.field, layout: key.layout))
    return watches.count - 1
  }

  private static func value<Value>(_ watch: Watch, _ key: FieldKey<Value>, _ id: Int, _ tick: Double) -> Value {
    let samples = watch.samples[(id * depth)..<(id * depth + Int(watch.counts[id]))]
    let type = key.layout.type
    var next = samples.startIndex
    while next < samples.endIndex, Double(samples[next].tick) <= tick { next += 1 }
    guard next > samples.startIndex else { return Value(words: samples[next].words, of: type) }
    let from = samples[next - 1]
    guard next < samples.endIndex else { return Value(words: from.words, of: type) }
    let to = samples[next]
    let fraction = (tick - Double(from.tick)) / Double(to.tick - from.tick)
    return Value(words: from.words, of: type)
      .interpolated(to: Value(words: to.words, of: type), fraction: fraction, in: type)
  }
}
