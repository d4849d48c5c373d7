import RoomEngine
import RoomTestKit
import WireFormat

/// What the game draws.
extension RandomRun {
  func admit() -> Admission {
    if random.oneIn(12) { return .reject("not today") }
    return random.oneIn(20) ? .full("come back later") : .admit
  }

  func joined(_ player: PlayerID, _ room: Room) {
    if random.oneIn(3) { whisper(player, room) }
    if random.oneIn(20) { room.kick(player, "unwelcome") }
  }

  func event(_ event: IncomingEvent, from sender: PlayerID) -> Bool {
    checkOrigin(id(event.payload), "an event", of: sender)
    if random.oneIn(10) { return false }
    guard event.isReliable else { return true }
    switch event.target {
    case .all: note(id(event.payload), from: sender, isForSender: true)
    case .others: note(id(event.payload), from: sender, isForSender: false)
    case .one(let target): noteWhisper(id(event.payload), target)
    }
    return true
  }

  func call(_ method: UInt16, _ payload: [UInt8], from player: PlayerID) -> CallOutcome {
    checkOrigin(id(payload), "a call", of: player)
    switch method {
    case 1: return .reply(payload)
    case 2: return .reject("no")
    case 3: return .later
    default: return random.oneIn(2) ? .failure(.payloadInvalid) : .failure(.unknownMethod)
    }
  }

  func tick(_ room: Room) {
    while let call = game.calls.last, random.oneIn(2) {
      game.calls.removeLast()
      room.reply(to: call, with: .reply([7]))
    }
    // Frames enough for those who stall to fall behind.
    if random.oneIn(2), let crate = room.entities(RandomSchema.crate).first {
      room.set(keys.level, of: crate, to: random.below(256))
    }
    switch random.below(8) {
    case 0: churn(room)
    case 1: for _ in 0...random.below(2) { removeCrate(room) }
    case 2:
      for crate in room.entities(RandomSchema.crate) {
        room.set(keys.level, of: crate, to: random.below(256))
        room.set(keys.holder, of: crate, to: room.entities(RandomSchema.avatar).randomElement(using: &random))
      }
    case 3: for _ in 0...random.below(4) { raise(room) }
    case 4: if let player = room.players.randomElement(using: &random) { whisper(player, room) }
    case 5 where random.oneIn(6):
      if let player = room.players.randomElement(using: &random) { room.kick(player, "a whim") }
    case 6 where random.oneIn(4): if room.isLocked { room.unlock() } else { room.lock() }
    case 7 where random.oneIn(60): room.end("the game is over")
    default: break
    }
  }

  /// Ids come, go and come again, within one tick and across ticks.
  private func churn(_ room: Room) {
    for _ in 0...random.below(5) {
      if random.oneIn(3) { removeCrate(room) }
      guard let crate = room.create(RandomSchema.crate, owner: room.players.randomElement(using: &random)) else {
        continue
      }
      if random.oneIn(2) { room.set(keys.level, of: crate, to: random.below(256)) }
      if random.oneIn(4) { room.remove(crate) }
    }
  }

  private func removeCrate(_ room: Room) {
    if let crate = room.entities(RandomSchema.crate).randomElement(using: &random) { room.remove(crate) }
  }

  private func raise(_ room: Room) {
    let id = nextID()
    let isReliable = !random.oneIn(4)
    let next = room.lastRaised + 1
    if room.raise(100, bytes(id, random.below(400)), reliably: isReliable), isReliable {
      raised.append(Raised(number: next, id: id, sender: nil, isForSender: true))
    }
  }

  /// The room is about to raise it.
  private func note(_ id: UInt32, from sender: PlayerID, isForSender: Bool) {
    raised.append(Raised(number: room.room.lastRaised + 1, id: id, sender: sender, isForSender: isForSender))
  }

  private func whisper(_ player: PlayerID, _ room: Room) {
    for _ in 0...random.below(3) {
      let id = nextID()
      let isReliable = !random.oneIn(3)
      if isReliable { noteWhisper(id, player) }
      room.whisper(50, bytes(id, random.below(100)), to: player, reliably: isReliable)
    }
  }

  /// The room is about to whisper it, or to refuse.
  private func noteWhisper(_ id: UInt32, _ player: PlayerID) {
    settleWhisper()
    guard let seat = room.room.generation(of: player), let last = room.room.lastWhisper(to: player) else { return }
    openWhisper = (id, player, seat, last)
  }

  /// Counts the last one noted if the room took it.
  func settleWhisper() {
    guard let (id, player, generation, last) = openWhisper else { return }
    openWhisper = nil
    guard room.room.generation(of: player) == generation, room.room.lastWhisper(to: player) == last + 1 else { return }
    whispered[generation, default: []].append(id)
  }
}
