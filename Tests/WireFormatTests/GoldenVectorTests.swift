import Testing
import VectorGenerator
import WireFormat

/// The committed vectors against the codec: what a client in any language must pass.
@Suite struct GoldenVectorTests {
  @Test func committedFilesAreWhatTheGeneratorWrites() throws {
    for file in try GoldenVectors.files() {
      // Compared as a whole, told by name: a difference would fill pages.
      let isSame = try VectorFiles.text("Tests/Vectors/\(file.name)") == file.content
      #expect(isSame, "\(file.name) differs: the format changed, or `make vectors` was not run")
    }
  }

  @Test func messagesDecodeToTheirFieldsAndEncodeBack() throws {
    for vector in try VectorFiles.vectors("messages.json") {
      let name = try vector.text("name")
      let sender = try #require(Sender(rawValue: try vector.text("from")))
      let schema = try VectorFiles.schema(vector)
      let hex = try vector.bytes("hex")
      let fields = try vector.member("fields")
      let type = try Decoding.message(hex) { type, body in
        let type = try #require(MessageType(rawValue: type))
        #expect(try MessageFields.decode(type, from: sender, body, schema) == fields, "\(name)")
        return type
      }
      #expect("\(type)".lowercased() == (try vector.text("type")).lowercased(), "\(name)")
      #expect(try MessageFields.encode(type, from: sender, fields, schema) == hex, "\(name)")
    }
  }

  @Test func everyMessageTypeHasAVector() throws {
    let vectors = try VectorFiles.vectors("messages.json")
    for (types, sender) in [(Directions.client, "client"), (Directions.server, "server")] {
      for type in types {
        let has = try vectors.contains { vector in
          try vector.text("from") == sender && (try vector.text("type")).lowercased() == "\(type)".lowercased()
        }
        #expect(has, "no vector for \(type) from the \(sender)")
      }
    }
  }

  @Test func malformedInputsAreRefusedWithTheirCode() throws {
    let vectors = try VectorFiles.vectors("malformed.json")
    for vector in vectors {
      let name = try vector.text("name")
      let sender = try #require(Sender(rawValue: try vector.text("from")))
      let schema = try VectorFiles.schema(vector)
      let expected = try #require(WireError.Code(rawValue: try vector.text("error")))
      do {
        try Decoding.message(try vector.bytes("hex")) { try Decoding.everything($0, from: sender, $1, schema) }
        Issue.record("\(name) was accepted")
      } catch let error as WireError {
        #expect(error.code == expected, "\(name): \(error)")
      }
    }
  }

  @Test func malformedVectorsCoverEveryCodeAndMessageType() throws {
    let vectors = try VectorFiles.vectors("malformed.json")
    let codes = Set(try vectors.map { try $0.text("error") })
    #expect(codes == Set(WireError.Code.allCases.map(\.rawValue)))
    var types: Set<String> = []
    for vector in vectors {
      // A length of one or two bytes stands before the type.
      let bytes = try vector.bytes("hex")
      let index = bytes[0] < 0x80 ? 1 : 2
      if bytes.count > index { types.insert("\(try vector.text("from")) \(bytes[index])") }
    }
    for type in Directions.client { #expect(types.contains("client \(type.rawValue)"), "\(type)") }
    for type in Directions.server { #expect(types.contains("server \(type.rawValue)"), "\(type)") }
  }

  @Test func schemasDecodeToTheirKindsAndEncodeBack() throws {
    for vector in try VectorFiles.vectors("schema.json") {
      let name = try vector.text("name")
      let described = try SchemaDescription.schema(try vector.list("kinds"))
      let bytes = try vector.bytes("hex")
      let decoded = try Schema(decoding: bytes.span)
      #expect(decoded.kinds == described.kinds, "\(name)")
      #expect(described.encoded == bytes, "\(name)")
      #expect(WireHex.text(decoded.hash) == (try vector.text("hash")), "\(name)")
    }
  }

  @Test func framesLeadToTheirStates() throws {
    for vector in try VectorFiles.vectors("frames.json") {
      let schema = try #require(try VectorFiles.schema(vector))
      var mirror = StateMirror(schema)
      var content = FrameContent()
      for (index, step) in try vector.list("steps").enumerated() {
        let name = "\(try vector.text("name")), step \(index)"
        try Decoding.message(try step.bytes("hex")) { type, body in
          #expect(type == MessageType.frame.rawValue)
          try mirror.apply(body, into: &content)
          #expect(events(content.events, body) == (try step.member("events")), "\(name)")
        }
        #expect(mirror.tick?.rawValue == UInt32(try step.uint("tick")), "\(name)")
        #expect(StateDescription.entities(mirror.tables) == (try step.member("entities")), "\(name)")
        #expect(WireHex.text(mirror.hash) == (try step.text("hash")), "\(name)")
      }
    }
  }

  private func events(_ block: EventBlock?, _ body: Span<UInt8>) -> JSONValue {
    guard var rest = block else { return [] }
    var events: [JSONValue] = []
    while let event = rest.next(body) {
      events.append(
        FrameEventDescription.event(
          number: event.number, sender: event.sender, isForSender: event.isForSender, code: event.code,
          payload: body.array(event.payload)))
    }
    return .array(events)
  }

  @Test func valuesDecodeToTheirColumnsAndUnits() throws {
    for vector in try VectorFiles.vectors("values.json") {
      let name = try vector.text("name")
      let schema = try #require(try VectorFiles.schema(vector))
      let index = Int(try vector.uint("field"))
      let bytes = try vector.bytes("hex")
      var table = EntityTable(schema.layouts[0], rows: 1)
      table.insert(0, generation: 0, owner: 0)
      var at = 0
      try table.decodeValues(of: 0, mask: 1 << UInt64(index), bytes.span, at: &at, in: schema.layouts)
      #expect(at == bytes.count, "\(name)")
      let field = schema.layouts[0].fields[index]
      #expect(ValueDescription.columns(field, in: table) == (try vector.member("columns")), "\(name)")
      #expect(isClose(ValueDescription.value(field, in: table), try vector.member("value")), "\(name)")
      let again = encodedBytes(bound: 1024) { table.encodeValues(of: 0, mask: 1 << UInt64(index), into: &$0) }
      #expect(again == bytes, "\(name)")
    }
  }

  private func isClose(_ one: JSONValue, _ other: JSONValue) -> Bool {
    if case .array(let ones) = one, case .array(let others) = other {
      return ones.count == others.count && zip(ones, others).allSatisfy { isClose($0, $1) }
    }
    guard let a = one.number, let b = other.number else { return one == other }
    return abs(a - b) <= 1e-6
  }
}

/// Which messages each side sends.
enum Directions {
  static let client: [MessageType] = [.hello, .join, .input, .event, .call, .leave, .ping, .pong]
  static let server: [MessageType] = [
    .ping, .pong, .welcome, .joined, .frame, .inputAck, .reply, .whisper, .events, .joinRefused, .left, .goodbye,
  ]
}

extension JSONValue {
  fileprivate var number: Double? {
    switch self {
    case .int(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }
}
