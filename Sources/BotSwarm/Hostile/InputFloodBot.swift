import ClientCore
import WireFormat

/// Sends inputs as fast as the socket takes them, from a seat in a room of healthy bots. Each is valid and has as many
/// entries as an input may have: for the server they are what costs.
final class InputFloodBot: HostileBot {
  private static let bytesPerTurn = 48 * 1024

  private var sequence: UInt32 = 0
  private var tables: [EntityTable] = []
  private var entries: [(entity: EntityID, mask: UInt64, row: Int)] = []

  override func begin() {
    entries = []
    forgetSeat()
    client(joining: surroundings.healthyRoom(index))
  }

  override func joined(_ link: HostileLink) {
    link.stopFollowing()
    sequence = 0
    if let schema = link.core?.seat?.schema { prepare(schema) }
    act(expecting: [Self.slowed], withinSeconds: Self.floodSeconds)
  }

  /// It was made to wait, which hurts nobody else: that is for the healthy bots to tell.
  override func deadlinePassed() { judge(Self.slowed) }

  /// The first field of each entity that there may be, its own or not, with an allowed value.
  private func prepare(_ schema: Schema) {
    tables = schema.layouts.map { layout in
      var table = TrackedTable(layout)
      table.create(0, generation: 0, owner: nil)
      return table.current
    }
    let capacity = schema.kinds[0].capacity
    entries = (0..<WireLimits.inputEntries).map { (EntityID(kind: KindIndex(0), id: UInt16($0 % capacity)), 1, 0) }
  }

  override func turn(now: UInt64) {
    guard !entries.isEmpty, let link = links.first else { return }
    let bound = InputWriter.bound(entries, from: tables)
    var bytes: [UInt8] = []
    while bytes.count < Self.bytesPerTurn {
      sequence += 1
      bytes += encodedBytes(bound: bound) { InputWriter.encode(sequence: sequence, entries, from: tables, into: &$0) }
    }
    link.send(bytes)
  }
}
