import BenchmarkUnits

/// Does one kind of work so many times, for callgrind to count: `InstructionCount input 20`.
///
/// Prints how many units that were. What callgrind counts is what happens within ``counted(_:)``; the driver,
/// `Benchmarks/Instructions/run.py`, takes the difference between two runs.
@main
enum InstructionCount {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 3, let rounds = Int(arguments[2]), rounds > 0 else {
      throw UnitFailure("usage: InstructionCount \(units.keys.sorted().joined(separator: "|")) ROUNDS")
    }
    guard let make = units[arguments[1]] else {
      throw UnitFailure("\(arguments[1]) is not one of \(units.keys.sorted().joined(separator: ", "))")
    }
    print(try make().run(rounds: rounds, counted))
  }

  private static let units: [String: @Sendable () throws -> any MeasuredUnit] = [
    "delivery": { FramesByMembers(ticks: 20, bytes: 1000) },
    "frame": { try DeliveredFrames(members: 100, bytes: 1000) },
    "member-tick": { try WalkingMembers(members: 100) },
    "input": { try Inputs(members: 100) },
    "encode": { try Encoding(entities: 100) },
    "decode": { try Decoding(entities: 100) },
    "join": { try Joins(members: 99) },
  ]
}

/// Callgrind counts while this function runs; it is known by its name.
@inline(never)
private func counted(_ work: () -> Void) {
  work()
}
