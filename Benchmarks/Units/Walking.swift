package import WireFormat

/// What a walking avatar has: the fields of the swarm's bots.
package enum Walking {
  package static let avatar = KindIndex(0)

  package static func schema(capacity: Int) throws -> Schema {
    try Schema([
      EntityKind(
        "avatar", capacity: capacity,
        fields: [
          Field("position", .vector(3, range: -512...512, step: 0.01)), Field("yaw", .angle(steps: 360)),
          Field("animation", .unsigned(bits: 4)),
        ])
    ])
  }

  /// The quantised values of entity `id` in step `step`: some centimetres further in each of them.
  package static func words(of id: Int, step: Int) -> [Int32] {
    let way = Int32((step * 5 + id) % 50_000)
    return [way, way + 1, way / 2, way % 180, way % 16]
  }

  /// A whole Input message that moves one entity.
  package static func input(sequence: Int, entity: Int, step: Int) -> [UInt8] {
    let body = inputBody(sequence: sequence, entity: entity, step: step)
    return [UInt8(body.count + 1), MessageType.input.rawValue] + body
  }

  package static func inputBody(sequence: Int, entity: Int, step: Int) -> [UInt8] {
    encodedBytes(bound: 64) { out in
      out.put(varint: sequence)
      out.put(varint: 1)
      out.put(varint: Int(avatar.rawValue))
      out.put(varint: entity)
      out.put(varint: 0b111)
      for word in words(of: entity, step: step) { out.put(zigzag: word) }
    }
  }
}
