import RoomEngine
import WireFormat

/// A game whose decisions are bytes of the input, used round and round; it keeps a list of what must reach whom.
final class RoomProgramGame: RoomLogic {
  struct Raised {
    let number: UInt64
    let sender: PlayerID?
    let isForSender: Bool
    let payload: [UInt8]
  }

  private(set) var raised: [Raised] = []
  private let rules: [UInt8]
  private var at = 0
  private var lastPayload: UInt16 = 0
  private var calls: [CallToken] = []

  init(rules: [UInt8]) { self.rules = rules.isEmpty ? [0] : rules }

  private func rule() -> UInt8 {
    at += 1
    return rules[at % rules.count]
  }

  /// Two bytes that no other payload has, and more.
  func newPayload(more: UInt8) -> [UInt8] {
    lastPayload &+= 1
    return [UInt8(lastPayload & 0xFF), UInt8(lastPayload >> 8)] + Array(repeating: 0xAB, count: Int(more) * 4 % 1000)
  }

  private func note(_ payload: [UInt8], _ sender: PlayerID?, isForSender: Bool, _ room: Room) {
    raised.append(
      Raised(number: room.lastRaised + 1, sender: sender, isForSender: isForSender, payload: payload))
  }

  func admit(options: [UInt8], in room: Room) -> Admission { options.first == 1 ? .reject("not today") : .admit }

  func joined(_ player: PlayerID, options: [UInt8], in room: Room) {
    _ = room.create(SampleSchema.avatar, owner: player)
    if rule() & 15 == 15 { room.kick(player, "unwelcome") }
  }

  func event(_ event: IncomingEvent, from player: PlayerID, in room: Room) -> Bool {
    if rule() & 31 == 31 { return false }
    guard event.isReliable else { return true }
    switch event.target {
    case .all: note(event.payload, player, isForSender: true, room)
    case .others: note(event.payload, player, isForSender: false, room)
    case .one: break
    }
    return true
  }

  func call(_ method: UInt16, payload: [UInt8], from player: PlayerID, in room: Room) -> CallOutcome {
    if let call = room.currentCall(from: player) { calls.append(call) }
    switch method {
    case 1: return .reply(payload)
    case 2: return .reject("no")
    case 3: return .later
    default: return .failure(.unknownMethod)
    }
  }

  func tick(_ room: Room) {
    let rule = rule()
    if let call = calls.popLast() { room.reply(to: call, with: .reply([7])) }
    switch rule & 7 {
    case 0: _ = room.create(SampleSchema.crate)
    case 1: if let crate = room.entities(SampleSchema.crate).first { room.remove(crate) }
    case 2:
      let payload = newPayload(more: rule)
      let number = room.lastRaised + 1
      if room.raise(100, payload) {
        raised.append(Raised(number: number, sender: nil, isForSender: true, payload: payload))
      }
    case 3: if let player = room.players.last { room.whisper(50, [rule], to: player, reliably: rule & 8 != 0) }
    case 4 where rule & 0xF0 == 0xF0: if let player = room.players.first { room.kick(player, "a whim") }
    case 5 where rule & 0xF0 == 0xF0: if room.isLocked { room.unlock() } else { room.lock() }
    case 6 where rule == 0xFE: room.end("the game is over")
    default: break
    }
  }
}
