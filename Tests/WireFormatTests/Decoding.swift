import VectorGenerator
import WireFormat

/// What the tests do with whole messages.
enum Decoding {
  /// The single whole message in `bytes`, or the fault of its framing.
  static func message<Result>(
    _ bytes: [UInt8], limit: Int = WireLimits.serverMessageBytes, _ body: (UInt8, Span<UInt8>) throws -> Result
  ) throws -> Result {
    var assembler = MessageAssembler(limit: limit)
    var results: [Swift.Result<Result, any Error>] = []
    do {
      _ = try assembler.feed(bytes.span) { type, span in
        do { results.append(.success(try body(type, span))) } catch { results.append(.failure(error)) }
        return .proceed
      }
    } catch MessageAssembler.Failure.malformed(let error) {
      throw error
    }
    guard assembler.keptBytes == 0, results.count == 1 else { throw WireError(.truncated, at: bytes.count, "message") }
    return try results[0].get()
  }

  /// Decodes all there is in a message: fields, state and schema.
  static func everything(_ type: UInt8, from sender: Sender, _ body: Span<UInt8>, _ schema: Schema?) throws {
    guard let type = MessageType(rawValue: type) else { throw WireError(.unknownType, at: 0, "type") }
    if type == .frame, let schema {
      var mirror = StateMirror(schema)
      var content = FrameContent()
      try mirror.apply(body, into: &content)
      walk(content.events, body)
    }
    do {
      _ = try MessageFields.decode(type, from: sender, body, schema)
    } catch Hello.Failure.malformed(let error) {
      throw error
    }
    if type == .joined, let schema = try Joined(body).schema { _ = try Schema(decoding: schema.span) }
  }

  static func walk(_ events: EventBlock?, _ body: Span<UInt8>) {
    guard var events else { return }
    while events.next(body) != nil {}
  }
}
