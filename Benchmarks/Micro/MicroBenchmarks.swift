import BenchmarkUnits
import CAllocationCounter
import Glibc

/// Nanoseconds and allocations of single pieces of the server's work: `MicroBenchmarks [OUT.json]`.
@main
enum MicroBenchmarks {
  private static let rounds = 500
  private static let warmUp = 100

  static func main() throws {
    var rows: [Row] = []
    for count in [10, 100, 1000] {
      rows.append(try measure("encode", count, "entity", Encoding(entities: count)))
      rows.append(try measure("decode", count, "entity", Decoding(entities: count)))
      rows.append(try measure("tick", count, "moving entity", Ticks(entities: count)))
      rows.append(try measure("delivery", count, "member", Deliveries(members: count)))
      rows.append(try measure("input parse", count, "input", Parsing(inputs: count)))
      rows.append(try measure("schema check", count, "input", Checking(inputs: count)))
    }
    rows.sort { ($0.name, $0.count) < ($1.name, $1.count) }
    print(Row.head)
    for row in rows { print(row.line) }
    guard CommandLine.arguments.count > 1 else { return }
    let text = "[\n" + rows.map(\.json).joined(separator: ",\n") + "\n]\n"
    guard let file = fopen(CommandLine.arguments[1], "w") else {
      throw UnitFailure("\(CommandLine.arguments[1]) can't be written, errno \(errno)")
    }
    fputs(text, file)
    fclose(file)
  }

  /// The median of all rounds, each timed by itself, so that what else the machine does drops out.
  private static func measure(
    _ name: String, _ count: Int, _ unit: String, _ work: some MeasuredUnit
  ) throws -> Row {
    _ = try work.run(rounds: warmUp, { $0() })
    var times: [Duration] = []
    times.reserveCapacity(rounds)
    var allocations: UInt64 = 0
    let clock = ContinuousClock()
    let units = try work.run(rounds: rounds) { piece in
      allocation_count_begin()
      times.append(clock.measure(piece))
      allocations += allocation_count_end()
    }
    let median = times.sorted()[times.count / 2].components.attoseconds
    return Row(
      name: name, count: count, unit: unit, roundNanoseconds: Double(median) / 1e9,
      unitsPerRound: Double(units) / Double(rounds), allocations: Double(allocations) / Double(units))
  }
}

/// One measurement.
private struct Row {
  let name: String
  let count: Int
  let unit: String
  let roundNanoseconds: Double
  let unitsPerRound: Double
  /// A unit.
  let allocations: Double

  private var nanoseconds: Double { roundNanoseconds / unitsPerRound }

  static let head = cells(["what", "of", "us in all", "ns a unit", "allocations a unit", "unit"])

  var line: String {
    Row.cells([
      name, "\(count)", Row.rounded(roundNanoseconds / 1000, 2), Row.rounded(nanoseconds, 1),
      Row.rounded(allocations, 3), unit,
    ])
  }

  var json: String {
    """
      {"what": "\(name)", "count": \(count), "unit": "\(unit)", "microseconds": \(Row.rounded(roundNanoseconds / 1000, 3)), \
    "nanosecondsPerUnit": \(Row.rounded(nanoseconds, 2)), "allocationsPerUnit": \(Row.rounded(allocations, 4))}
    """
  }

  private static func cells(_ texts: [String]) -> String {
    texts.map { $0 + String(repeating: " ", count: max(1, 20 - $0.count)) }.joined()
  }

  private static func rounded(_ value: Double, _ digits: Int) -> String {
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    return "\((value * scale).rounded() / scale)"
  }
}
