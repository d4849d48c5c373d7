import TickServer

/// Tag: who is "it" catches another player, who then is.
final class Tag: RoomLogic {
  private let fields: TagFields
  /// Nobody can be caught before, so that there is time to run.
  private var safeUntil = Tick(0)

  init(_ fields: TagFields) { self.fields = fields }

  func joined(_ player: PlayerID, options: [UInt8], in room: Room) {
    _ = room.create(fields.runner, owner: player)
  }

  func input(_ input: Input, from player: PlayerID, in room: Room) {
    // Only the position: who is it is not the client's to say.
    if let position = input[fields.position] { room[input.entity, fields.position] = position }
  }

  func tick(_ room: Room) {
    let runners = room.entities(fields.runner)
    guard let it = runners.first(where: { room[$0, fields.isIt] }) else {
      // The game begins, or the one who was it has left.
      if let first = runners.first { choose(first, in: room) }
      return
    }
    guard room.tick >= safeUntil, let caught = runners.first(where: { $0 != it && isNear($0, it, in: room) }) else {
      return
    }
    room[it, fields.isIt] = false
    choose(caught, in: room)
  }

  private func choose(_ runner: EntityID, in room: Room) {
    room[runner, fields.isIt] = true
    safeUntil = room.tick(after: .seconds(2))
    if let player = room.owner(of: runner) { room.raise(Tagged(player: player)) }
  }

  private func isNear(_ one: EntityID, _ other: EntityID, in room: Room) -> Bool {
    let way = room[one, fields.position] - room[other, fields.position]
    return (way * way).sum() < 1
  }
}
