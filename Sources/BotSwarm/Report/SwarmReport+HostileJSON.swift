extension SwarmReport {
  var hostileJSON: JSON {
    guard let hostile, let plan = setting.hostile else { return .null }
    return .object([
      ("mix", .string(plan.mix.description)),
      ("behaviours", .array(plan.mix.counts.map { Self.json($0.kind, $0.count, hostile.tallies[$0.kind]) })),
      ("notes", .array(hostile.tallies.sorted { $0.key < $1.key }.flatMap(\.value.notes).map { .string($0) })),
    ])
  }

  private static func json(_ kind: HostileKind, _ bots: Int, _ tally: HostileTally?) -> JSON {
    let tally = tally ?? HostileTally()
    return .object([
      ("name", .string(kind.rawValue)), ("bots", .integer(bots)), ("rounds", .integer(tally.rounds)),
      ("acted", .integer(tally.acted)), ("survived", .integer(tally.survived)), ("ends", json(tally.ends)),
      ("wrong", json(tally.wrong)), ("refused", json(tally.refused)),
      ("slowestEndMicroseconds", .count(tally.slowestEndMicroseconds)), ("converged", .integer(tally.converged)),
      ("keyframes", .integer(tally.keyframes)), ("eventsCompared", .integer(tally.eventsCompared)),
      ("hops", .integer(tally.hops)), ("cycles", .integer(tally.cycles)),
    ])
  }

  static func json(_ counts: [String: Int]) -> JSON {
    .object(counts.sorted { $0.key < $1.key }.map { ($0.key, .integer($0.value)) })
  }

  var comparisonJSON: JSON {
    guard let comparison else { return .null }
    return .object([
      ("p50Ratio", .optional(comparison.p50Ratio)), ("p99Ratio", .optional(comparison.p99Ratio)),
      ("p50Ratios", .array(comparison.p50Ratios.map { .number($0) })),
      ("p99Ratios", .array(comparison.p99Ratios.map { .number($0) })),
      (
        "worstRates",
        .array(
          comparison.worstRates.map { .object([("without", .number($0.without)), ("with", .number($0.with))]) })
      ),
    ])
  }

  var windowsJSON: JSON {
    .array(
      windows.map { window in
        .object([
          ("kind", .string(window.kind.rawValue)), ("first", .integer(window.seconds.lowerBound)),
          ("end", .integer(window.seconds.upperBound)),
          ("latencyP50Microseconds", .optional(window.latency?.p50Microseconds)),
          ("latencyP99Microseconds", .optional(window.latency?.p99Microseconds)),
          ("perBotMin", .optional(window.rates?.min)),
        ])
      })
  }

  var censusJSON: JSON {
    guard let census else { return .null }
    func point(_ point: Census.Point?) -> JSON {
      guard let point else { return .null }
      let holdings = point.ledger.map { ledger in
        JSON.object(
          [
            ("open", .integer(ledger.total.open)), ("closing", .integer(ledger.total.closing)),
            ("seats", .integer(ledger.total.seats)), ("leasedBuffers", .integer(ledger.total.pool.leasedBuffers)),
            ("pinnedBytes", .integer(ledger.total.pinnedBytes)), ("balanced", .bool(ledger.balanced)),
          ])
      }
      return .object([
        ("residentBytes", .integer(point.residentBytes)), ("descriptors", .integer(point.descriptors)),
        ("ledger", holdings ?? .null),
      ])
    }
    return .object([
      ("before", point(census.before)), ("after", point(census.after)),
      ("waitedSeconds", .integer(census.waitedSeconds)),
      ("leftovers", .array(census.leftovers.map { .string($0) })),
    ])
  }
}
