import WireFormat

/// Inputs of many players, one after the other, as they would come in one read.
private func stream(of inputs: Int) -> [UInt8] {
  (0..<inputs).flatMap { Walking.input(sequence: $0 + 1, entity: $0, step: $0 * 7) }
}

/// Bytes are cut into messages; a unit is one message.
package final class Parsing: MeasuredUnit {
  private let bytes: [UInt8]
  private let inputs: Int
  private var assembler = MessageAssembler(limit: WireLimits.clientMessageBytes)

  package init(inputs: Int) {
    self.inputs = inputs
    bytes = stream(of: inputs)
  }

  package func run(rounds: Int, _ meter: Meter) throws -> Int {
    for _ in 0..<rounds {
      var found = 0
      meter { found = cut() }
      guard found == inputs else { throw UnitFailure("\(found) of \(inputs) messages were found") }
    }
    return rounds * inputs
  }

  private func cut() -> Int {
    var found = 0
    let bytes = self.bytes
    _ = try? assembler.feed(bytes.span) { _, _ in
      found += 1
      return .proceed
    }
    return found
  }
}

/// Inputs are decoded and each value held against its range in the schema; a unit is one input.
package final class Checking: MeasuredUnit {
  private let schema: Schema
  private let bodies: [[UInt8]]
  private var scratch: [EntityTable]

  package init(inputs: Int) throws {
    schema = try Walking.schema(capacity: inputs)
    scratch = InputReader.scratch(schema)
    bodies = (0..<inputs).map { Walking.inputBody(sequence: $0 + 1, entity: $0, step: $0 * 7) }
  }

  package func run(rounds: Int, _ meter: Meter) throws -> Int {
    for _ in 0..<rounds {
      var good = 0
      meter { good = check() }
      guard good == bodies.count else { throw UnitFailure("\(good) of \(bodies.count) inputs are within the schema") }
    }
    return rounds * bodies.count
  }

  private func check() -> Int {
    var good = 0
    for body in bodies {
      do throws(WireError) {
        let bytes = body.span
        var reader = try InputReader(bytes)
        while try reader.next(bytes, into: &scratch, schema) != nil { good += 1 }
      } catch {
        return good
      }
    }
    return good
  }
}
