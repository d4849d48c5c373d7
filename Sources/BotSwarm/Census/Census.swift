/// What the server held before the run, and what after everybody had left.
package struct Census: Hashable, Sendable {
  package struct Point: Hashable, Sendable {
    package var residentBytes: Int
    package var descriptors: Int
    /// Nil without an admin port: then only what the system tells is known.
    package var ledger: LedgerSnapshot?

    init(_ ledger: LedgerSnapshot) {
      residentBytes = ledger.process.rssBytes
      descriptors = ledger.process.openDescriptors
      self.ledger = ledger
    }

    init(_ sample: ProcessSample) {
      residentBytes = sample.residentBytes
      descriptors = sample.descriptors
    }
  }

  package var before: Point
  package var after: Point?
  /// Seconds from the last bot's end to `after`.
  package var waitedSeconds = 0
  /// Why the server could not be asked at the end.
  package var error: String?

  init(before: Point) { self.before = before }

  /// Everything was given back.
  var isSettled: Bool { after.map { leftovers(at: $0).isEmpty } ?? false }

  /// What was not given back, in words.
  package var leftovers: [String] {
    guard let after else { return [error ?? "the server could not be asked"] }
    return leftovers(at: after)
  }

  /// Resident memory after the run, by that before.
  package var residentGrowth: Double? {
    after.map { Double($0.residentBytes) / Double(max(1, before.residentBytes)) - 1 }
  }

  private func leftovers(at point: Point) -> [String] {
    var found: [String] = []
    if let ledger = point.ledger {
      found = ledger.holdings.filter { $0.count != 0 }.map { "\(Format.grouped($0.count)) \($0.name)" }
      if !ledger.balanced { found.append("the ledger does not balance") }
    }
    let more = point.descriptors - before.descriptors
    if more > 0 { found.append("\(Format.grouped(more)) more descriptors than before") }
    return found
  }
}
