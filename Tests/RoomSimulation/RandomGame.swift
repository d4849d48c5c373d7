import RoomEngine
import WireFormat

/// The rules of a simulated room: a player gets an avatar, the rest is drawn by the run. Keeps its own book of who is
/// here, from the engine's notices alone.
final class RandomGame: RoomLogic {
  /// Draws what happens; nil once the run is over.
  weak var run: RandomRun?
  /// Calls that are still to be answered.
  var calls: [CallToken] = []
  private(set) var faults: [String] = []
  private var isHere: [PlayerID: Bool] = [:]

  /// Players who joined and have not left, as far as the game was told.
  var players: Set<PlayerID> { Set(isHere.keys) }

  func admit(options: [UInt8], in room: Room) -> Admission { run?.admit() ?? .admit }

  func joined(_ player: PlayerID, options: [UInt8], in room: Room) {
    if isHere.updateValue(true, forKey: player) != nil { faults.append("\(player) joined twice") }
    _ = room.create(RandomSchema.avatar, owner: player)
    run?.joined(player, room)
  }

  func disconnected(_ player: PlayerID, in room: Room) {
    if isHere.updateValue(false, forKey: player) != true { faults.append("\(player) was lost, and was not here") }
  }

  func resumed(_ player: PlayerID, in room: Room) {
    if isHere.updateValue(true, forKey: player) == nil { faults.append("\(player) came back to no seat") }
  }

  func left(_ player: PlayerID, in room: Room) {
    if isHere.removeValue(forKey: player) == nil { faults.append("\(player) left twice") }
  }

  func event(_ event: IncomingEvent, from player: PlayerID, in room: Room) -> Bool {
    run?.event(event, from: player) ?? true
  }

  func call(_ method: UInt16, payload: [UInt8], from player: PlayerID, in room: Room) -> CallOutcome {
    if let call = room.currentCall(from: player) { calls.append(call) }
    return run?.call(method, payload, from: player) ?? .failure(.unknownMethod)
  }

  func tick(_ room: Room) { run?.tick(room) }
}
