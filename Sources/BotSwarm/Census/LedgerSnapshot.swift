import FoundationEssentials

/// What a server's `/ledger` says about itself, as far as a census looks at it.
package struct LedgerSnapshot: Hashable, Sendable, Decodable {
  package struct Process: Hashable, Sendable, Decodable {
    package var rssBytes: Int
    package var openDescriptors: Int
  }

  package struct Pool: Hashable, Sendable, Decodable {
    package var leasedBuffers: Int
  }

  package struct Total: Hashable, Sendable, Decodable {
    package var open: Int
    package var closing: Int
    package var seats: Int
    package var pinnedBytes: Int
    package var pool: Pool
  }

  package var balanced: Bool
  package var process: Process
  package var total: Total

  package init(json: [UInt8]) throws(CensusError) {
    do {
      self = try JSONDecoder().decode(LedgerSnapshot.self, from: Data(json))
    } catch {
      throw CensusError("/ledger is not as expected: \(error)")
    }
  }

  /// What an emptied server must not hold any more.
  var holdings: [(name: String, count: Int)] {
    [
      ("open connections", total.open), ("closing connections", total.closing), ("seats", total.seats),
      ("leased buffers", total.pool.leasedBuffers), ("pinned bytes", total.pinnedBytes),
    ]
  }
}

/// Why the server could not be asked.
package struct CensusError: Error, Equatable, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}
