import TickServer

/// A match that is over so many ticks after its first player came.
///
/// The options of the player who opens the room are words: `ticks=120` (without it the match never ends by itself), `open`
/// (takes new players while the server stops), `quits` (ends as soon as it hears of that).
final class Match: RoomLogic {
  /// What players are told when the server is about to stop: the tick of the deadline, 4 bytes, low one first.
  static let endingCode: UInt16 = 16

  private let ticks: FieldKey<Int>
  private var isBegun = false
  private var overAt: Tick?
  private var quits = false

  static func kind() throws -> RoomKind {
    let schema = try Schema([EntityKind("clock", capacity: 1, fields: [Field("ticks", .unsigned(bits: 32))])])
    let ticks: FieldKey<Int> = try schema.key("clock", "ticks")
    return RoomKind("match", schema: schema, tickRate: 10) { Match(ticks) }
  }

  private init(_ ticks: FieldKey<Int>) { self.ticks = ticks }

  func opened(_ room: Room) { _ = room.create(ticks.kind) }

  func joined(_ player: PlayerID, options: [UInt8], in room: Room) {
    guard !isBegun else { return }
    isBegun = true
    for word in String(decoding: options, as: UTF8.self).split(separator: " ") {
      if word == "open" { room.acceptsPlayersWhileEnding = true }
      if word == "quits" { quits = true }
      if word.hasPrefix("ticks="), let count = UInt32(word.dropFirst(6)) { overAt = Tick(room.tick.rawValue &+ count) }
    }
  }

  func ending(_ room: Room, deadline: Tick) {
    room.raise(Self.endingCode, (0..<4).map { UInt8(truncatingIfNeeded: deadline.rawValue >> ($0 * 8)) })
    if quits { room.end("the match was called off") }
  }

  func tick(_ room: Room) {
    for clock in room.entities(ticks.kind) { room[clock, ticks] = Int(room.tick.rawValue) }
    if let overAt, room.tick >= overAt { room.end("the match is over") }
  }
}
