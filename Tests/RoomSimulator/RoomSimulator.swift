import ArgumentParser
import RoomEngine
import RoomSimulation
import WireFormat

@main
struct RoomSimulator: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs simulated rooms from seeds, and checks at every step what must always hold.")

  @Option(help: "How many seeds, from --first on.")
  var seeds: UInt64 = 5000

  @Option(help: "The first seed.")
  var first: UInt64 = 1

  @Option(help: "Replays this seed alone.")
  var seed: UInt64?

  @Option(help: "How many run at once.")
  var parallel: Int = 2

  func validate() throws {
    guard seeds > 0 else { throw ValidationError("--seeds is at least 1, not \(seeds)") }
    guard (1...256).contains(parallel) else { throw ValidationError("--parallel is 1 to 256, not \(parallel)") }
    guard first.addingReportingOverflow(seeds).overflow == false else {
      throw ValidationError("--first and --seeds together exceed the largest seed, \(UInt64.max)")
    }
  }

  func run() async throws {
    CrashReport.install()
    let range = seed.map { $0..<($0 + 1) } ?? first..<(first + seeds)
    var report = Report(total: UInt64(range.count))
    try await withThrowingTaskGroup(of: Batch.self) { group in
      var next = range.lowerBound
      func addBatch() {
        guard next < range.upperBound else { return }
        let batch = next..<min(range.upperBound, next + Batch.seeds)
        next = batch.upperBound
        group.addTask { try Batch(batch) }
      }
      for _ in 0..<parallel { addBatch() }
      while let batch = try await group.next() {
        report.add(batch)
        if batch.failure == nil { addBatch() }
      }
    }
    guard report.finish() else { throw ExitCode.failure }
  }
}

/// Seeds in a row, up to the first that fails.
private struct Batch: Sendable {
  /// Some tens of milliseconds' worth: often enough for the progress line.
  static let seeds: UInt64 = 16

  struct Failure: Sendable {
    let seed: UInt64
    let faults: [String]
  }

  private(set) var done: UInt64 = 0
  private(set) var counters = RoomCounters()
  private(set) var ends: [CloseReason: Int] = [:]
  private(set) var failure: Failure?

  init(_ seeds: Range<UInt64>) throws {
    for seed in seeds {
      CrashReport.note(seed: seed)
      let simulation = try Simulation(seed: seed)
      done += 1
      counters.add(simulation.counters)
      ends.merge(simulation.ends, uniquingKeysWith: +)
      if !simulation.faults.isEmpty {
        failure = Failure(seed: seed, faults: simulation.faults)
        return
      }
    }
  }
}

/// The progress, once a second, and what came out.
private struct Report {
  private let total: UInt64
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var toldAt: ContinuousClock.Instant
  private var sum = (done: UInt64(0), counters: RoomCounters(), ends: [CloseReason: Int]())
  private var failures: [Batch.Failure] = []

  init(total: UInt64) {
    self.total = total
    start = clock.now
    toldAt = start
  }

  mutating func add(_ batch: Batch) {
    sum.done += batch.done
    sum.counters.add(batch.counters)
    sum.ends.merge(batch.ends, uniquingKeysWith: +)
    if let failure = batch.failure { failures.append(failure) }
    guard clock.now - toldAt >= .seconds(1) else { return }
    toldAt = clock.now
    let rate = Double(sum.done) / seconds
    print("\(sum.done) of \(total) seeds, \(Int(rate)) a second, \(Int(Double(total - sum.done) / rate)) s to go")
  }

  private var seconds: Double { (clock.now - start) / .seconds(1) }

  /// - Returns: whether all went well.
  func finish() -> Bool {
    let counters = sum.counters
    print(
      "\(sum.done) seeds in \(Int(seconds)) s: \(counters.ticks) ticks, \(counters.joins) joins, \(counters.resumes) "
        + "resumes, \(counters.skips) skips")
    let ends = sum.ends.sorted { $0.key.rawValue < $1.key.rawValue }
    print("connections ended: " + ends.map { "\($0.key.name) \($0.value)" }.joined(separator: ", "))
    for failure in failures {
      print("seed \(failure.seed): " + failure.faults.prefix(3).joined(separator: "; "))
      print("replay it with: make simulate SEED=\(failure.seed)")
    }
    if failures.isEmpty { print("no violation") }
    return failures.isEmpty
  }
}
