import TickServer

/// Rounds of a minute. The one that is going on when the server is about to stop is the last.
final class Rounds: RoomLogic {
  private var roundEnds = Tick(0)
  private var isLast = false

  func opened(_ room: Room) { roundEnds = room.tick(after: .seconds(60)) }

  func ending(_ room: Room, deadline: Tick) {
    isLast = true
    // A round that would take longer is shortened, while the game can still say who has won.
    roundEnds = min(roundEnds, deadline)
  }

  func tick(_ room: Room) {
    guard room.tick >= roundEnds else { return }
    if isLast {
      room.end("the last round is over")
    } else {
      roundEnds = room.tick(after: .seconds(60))
    }
  }
}
