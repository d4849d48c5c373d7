/// The schema on the wire: `docs/protocol.md` section 4.
extension Schema {
  /// Decodes a whole encoded schema.
  ///
  /// - Throws: ``WireError`` for bytes that are no valid schema.
  package init(decoding bytes: Span<UInt8>) throws(WireError) {
    guard bytes.count <= WireLimits.schemaBytes else { throw WireError(.invalidLength, at: 0, "schema") }
    var at = 0
    let count = try bytes.varint(&at, in: 1...UInt64(WireLimits.kinds), "kindCount")
    var kinds: [EntityKind] = []
    for _ in 0..<count {
      let start = at
      let kind = try EntityKind(decoding: bytes, at: &at)
      guard !kinds.contains(where: { $0.name == kind.name }) else { throw WireError(.inconsistent, at: start, "name") }
      kinds.append(kind)
    }
    try bytes.end(at)
    do {
      try self.init(kinds)
    } catch {
      throw WireError(.outOfRange, at: at, error.description)
    }
  }

  static func encode(_ kinds: [EntityKind]) -> [UInt8] {
    let fields = kinds.reduce(0) { $0 + $1.fields.count }
    // A name takes at most 66 bytes, a field's parameters 19, a kind's numbers 10.
    return encodedBytes(bound: 8 + kinds.count * 80 + fields * 96) { out in
      out.put(varint: kinds.count)
      for kind in kinds {
        out.put(string: kind.name)
        out.put(varint: kind.capacity)
        out.put(varint: kind.fields.count)
        for field in kind.fields {
          out.put(string: field.name)
          field.type.encode(into: &out)
        }
      }
    }
  }

  static func hash(of bytes: [UInt8]) -> UInt64 {
    let hash = fnv1a64(bytes.span)
    return hash == 0 ? 1 : hash
  }
}

extension EntityKind {
  fileprivate init(decoding bytes: Span<UInt8>, at: inout Int) throws(WireError) {
    let name = try bytes.string(&at, lengths: WireLimits.nameBytes, "name")
    let capacity = try bytes.varint(&at, in: 1...UInt64(WireLimits.entities), "capacity")
    let count = try bytes.varint(&at, in: 1...UInt64(WireLimits.fields), "fieldCount")
    var fields: [Field] = []
    for _ in 0..<count {
      let nameStart = at
      let name = try bytes.string(&at, lengths: WireLimits.nameBytes, "name")
      guard !fields.contains(where: { $0.name == name }) else { throw WireError(.inconsistent, at: nameStart, "name") }
      let start = at
      let type = try FieldType(decoding: bytes, at: &at)
      guard type.fault == nil else { throw WireError(.outOfRange, at: start, name) }
      fields.append(Field(name, type))
    }
    self.init(name, capacity: capacity, fields: fields)
  }
}

extension FieldType {
  fileprivate init(decoding bytes: Span<UInt8>, at: inout Int) throws(WireError) {
    let start = at
    switch try bytes.byte(&at, "type") {
    case 0: self = .bool
    case 1: self = .unsigned(bits: try bytes.varint(&at, in: 1...32, "bits"))
    case 2: self = .signed(bits: try bytes.varint(&at, in: 1...32, "bits"))
    case 3: self = .fixed(try FixedPoint(decoding: bytes, at: &at))
    case 4:
      let components = Int(try bytes.byte(&at, "components"))
      self = .vector(components, try FixedPoint(decoding: bytes, at: &at))
    case 5: self = .angle(steps: try bytes.varint(&at, in: 2...65536, "steps"))
    case 6: self = .quaternion(bits: try bytes.varint(&at, in: 2...15, "bits"))
    case 7: self = .string(maxBytes: try bytes.varint(&at, in: 1...UInt64(WireLimits.blobBytes), "maxBytes"))
    case 8: self = .bytes(maxBytes: try bytes.varint(&at, in: 1...UInt64(WireLimits.blobBytes), "maxBytes"))
    case 9: self = .reference
    default: throw WireError(.unknownType, at: start, "type")
    }
  }

  fileprivate func encode(into out: inout OutputRawSpan) {
    switch self {
    case .bool: out.put(byte: 0)
    case .unsigned(let bits):
      out.put(byte: 1)
      out.put(varint: bits)
    case .signed(let bits):
      out.put(byte: 2)
      out.put(varint: bits)
    case .fixed(let fixed):
      out.put(byte: 3)
      fixed.encode(into: &out)
    case .vector(let components, let fixed):
      out.put(byte: 4)
      out.put(byte: UInt8(components))
      fixed.encode(into: &out)
    case .angle(let steps):
      out.put(byte: 5)
      out.put(varint: steps)
    case .quaternion(let bits):
      out.put(byte: 6)
      out.put(varint: bits)
    case .string(let maxBytes):
      out.put(byte: 7)
      out.put(varint: maxBytes)
    case .bytes(let maxBytes):
      out.put(byte: 8)
      out.put(varint: maxBytes)
    case .reference: out.put(byte: 9)
    }
  }
}

extension FixedPoint {
  fileprivate init(decoding bytes: Span<UInt8>, at: inout Int) throws(WireError) {
    let start = at
    low = try bytes.zigzag(&at, "low")
    high = try bytes.zigzag(&at, "high")
    guard low <= high else { throw WireError(.inconsistent, at: start, "low") }
    step = Double(bitPattern: try bytes.littleEndian64(&at, "step"))
  }

  fileprivate func encode(into out: inout OutputRawSpan) {
    out.put(zigzag: low)
    out.put(zigzag: high)
    out.put(littleEndian: step.bitPattern)
  }
}
