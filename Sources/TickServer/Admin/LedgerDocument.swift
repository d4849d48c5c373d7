import Foundation
import WireFormat

/// The JSON of `/ledger`. Names and units are a contract with those who read it: docs/operations.md lists them.
struct LedgerDocument: Encodable {
  private let uptimeSeconds: Double
  private let version: String
  private let balanced: Bool
  private let faults: [String]
  private let process: Process
  private let total: Loop
  private let loops: [Loop]

  init(_ readings: AdminReadings) {
    uptimeSeconds = readings.uptimeSeconds
    version = TickServerVersion.current
    faults = readings.faults
    balanced = faults.isEmpty
    process = Process(
      rssBytes: readings.process.residentBytes, openDescriptors: readings.process.openDescriptors,
      memoryLimitBytes: readings.memory.limitBytes, planBytes: readings.memory.planBytes,
      pressure: readings.memory.pressure)
    total = Loop(nil, readings.total)
    loops = readings.loops.enumerated().map { Loop($0.offset, $0.element) }
  }

  var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    // Numbers, strings and flat containers: there is nothing that could not be encoded.
    let data = (try? encoder.encode(self)) ?? Data()
    return String(decoding: data, as: UTF8.self) + "\n"
  }

  private struct Process: Encodable {
    let rssBytes: Int
    let openDescriptors: Int
    let memoryLimitBytes: Int?
    let planBytes: Int
    let pressure: MemoryStatus.Pressure

    private enum CodingKeys: CodingKey { case rssBytes, openDescriptors, memoryLimitBytes, planBytes, pressure }

    /// By hand, because an absent value has to be a `null`.
    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(rssBytes, forKey: .rssBytes)
      try container.encode(openDescriptors, forKey: .openDescriptors)
      try container.encode(memoryLimitBytes, forKey: .memoryLimitBytes)
      try container.encode(planBytes, forKey: .planBytes)
      try container.encode(pressure, forKey: .pressure)
    }
  }

  private struct Pool: Encodable {
    let leasedBuffers, leasedBytes, idleBytes, highWaterBytes: Int
  }

  private struct Loop: Encodable {
    let loop: Int?
    let accepted, movedHere, movedAway: UInt64
    let open, closing, closingUnsentBytes: Int
    let closed: [String: UInt64]
    let seats, rooms: Int
    let roomsOpened, roomsClosed: UInt64
    let pool: Pool
    let pinnedBytes: Int
    let skips, resumes, evictions, ticks, missedTicks: UInt64

    init(_ index: Int?, _ snapshot: LoopSnapshot) {
      let (ledger, census) = (snapshot.ledger, snapshot.census)
      loop = index
      accepted = ledger.accepted
      movedHere = ledger.movedHere
      movedAway = ledger.movedAway
      open = census.open
      closing = census.closing
      closingUnsentBytes = census.closingUnsentBytes
      closed = Dictionary(uniqueKeysWithValues: ledger.closed.map { ($0.key.name, $0.value) })
      seats = census.seats
      rooms = census.rooms
      roomsOpened = ledger.roomsOpened
      roomsClosed = ledger.roomsClosed
      pool = Pool(
        leasedBuffers: census.pool.leasedBuffers, leasedBytes: census.pool.leasedBytes,
        idleBytes: census.pool.idleBytes, highWaterBytes: census.pool.highWaterBytes)
      pinnedBytes = census.pinnedBytes
      skips = snapshot.rooms.skips
      resumes = snapshot.rooms.resumes
      evictions = ledger.evictions
      ticks = snapshot.ticks
      missedTicks = snapshot.missedTicks
    }
  }
}
