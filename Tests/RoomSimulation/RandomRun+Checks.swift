import ClientCore
import RoomEngine
import RoomTestKit
import WireFormat

/// What must hold; the numbers are those of section 5 of the design.
extension RandomRun {
  /// After a tick, or what a client or the network did between two.
  func checkStep() {
    settleWhisper()
    checkEnds()
    room.checkBooks()
    for client in clients { checkMessages(client) }
    checkNotices()
    if game.players != Set(room.room.players) { found("the game knows \(game.players), the room \(room.room.players)") }
  }

  func checkTick() {
    guard !room.room.isClosed else { return }
    digestFrame()
    room.check(clients)
    for (connection, watch) in zip(connections, watches.indices) {
      if let fault = watches[watch].look(at: connection, in: room, now: room.clock.now) {
        found("connection \(connection.number) \(fault)")
      }
    }
    for client in clients { checkDelivery(client) }
  }

  func found(_ fault: String) { faultsFound.append(fault) }

  /// 1 and 2: each connection ends at most once, with one reason, and nothing of it is held then.
  private func checkEnds() {
    let ended = connections.count { $0.hasEnded }
    let counted = room.ends.values.reduce(0, +)
    if ended != counted { found("\(ended) connections have ended, \(counted) are counted by reason") }
    for connection in connections where connection.hasEnded {
      if connection.isHeld { found("connection \(connection.number) has ended, and is still held") }
      if connection.end == nil { found("connection \(connection.number) has ended without a reason") }
    }
  }

  /// 1: beside the game's own events there is one for each player who joined, and one for each who left.
  private func checkNotices() {
    guard !room.room.isClosed else { return }
    let counters = room.room.counters
    let due = UInt64(raised.count) + counters.joins + counters.leaves
    if room.room.lastRaised != due { found("\(room.room.lastRaised) reliable events were raised, \(due) were due") }
  }

  /// 5: whose pipe takes everything has the newest frame within the tick, whatever the others do.
  private func checkDelivery(_ client: SimulatedClient) {
    guard client.isInRoom, let connection = client.connection, connection.isUnobstructed, !connection.isBlocked,
      let player = client.player, room.room.generation(of: player) == client.core.seat?.generation
    else { return }
    // Whose pipe was obstructed has to show that it is not any more: an answer may take a tick.
    guard connection.delivery.isFast else { return checkRecovery(client, connection, player) }
    if client.tick != room.lastFrame {
      found("\(player) has frame \(client.tick.map(\.description) ?? "none") of \(room.lastFrame)")
    }
    if client.players != room.room.players { found("\(player) sees \(client.players), not \(room.room.players)") }
    checkTruth(client, player)
  }

  /// 23: whose pipe takes everything again soon sees state no older than half a second.
  private func checkRecovery(_ client: SimulatedClient, _ connection: SimulatedConnection, _ player: PlayerID) {
    guard watches[connection.number].clearTicks > 8, let tick = client.tick else { return }
    let mostTicks = UInt32(max(4, room.room.kind.tickRate / 2))
    if room.lastFrame.rawValue - tick.rawValue > mostTicks {
      found("\(player) still has frame \(tick) of \(room.lastFrame)")
    }
  }

  /// 10: what it sees is what the room holds, entity by entity, not only what a keyframe says.
  private func checkTruth(_ client: SimulatedClient, _ player: PlayerID) {
    for kind in [RandomSchema.avatar, RandomSchema.crate] where client.entities(kind) != room.room.entities(kind) {
      found("\(player) sees \(client.entities(kind)), not \(room.room.entities(kind))")
      return
    }
    func differs<Value: Equatable>(_ key: FieldKey<Value>, _ entity: EntityID) -> Bool {
      client.get(key, of: entity) != room.room.get(key, of: entity)
    }
    for avatar in client.entities(RandomSchema.avatar)
    where differs(keys.position, avatar) || differs(keys.yaw, avatar) || differs(keys.name, avatar)
      || client.owner(of: avatar) != room.room.owner(of: avatar)
    {
      found("\(player) sees another \(avatar)")
    }
    for crate in client.entities(RandomSchema.crate)
    where differs(keys.level, crate) || differs(keys.holder, crate)
      || client.owner(of: crate) != room.room.owner(of: crate)
    {
      found("\(player) sees another \(crate)")
    }
  }

  /// Nothing reliable is lost, doubled or out of order.
  private func checkMessages(_ client: SimulatedClient) {
    guard client.isInRoom, let seat = client.core.seat else { return }
    let isUpToDate = client.tick == room.lastFrame && client.connection?.isBlocked == false && !room.room.isClosed
    let events = client.eventsOfThisSeat.filter { $0.number != nil }.map { id($0.payload) }
    let due = raised.filter { $0.number > client.joinedEvent && ($0.isForSender || $0.sender != seat.player) }.map(\.id)
    compare("events", events, due, isUpToDate, seat.player)
    let whispers = client.whispersOfThisSeat.filter { $0.number != nil }.map { id($0.payload) }
    compare("whispers", whispers, whispered[seat.generation] ?? [], isUpToDate, seat.player)
  }

  private func compare(_ what: String, _ seen: [UInt32], _ due: [UInt32], _ isUpToDate: Bool, _ player: PlayerID) {
    if isUpToDate ? seen != due : !due.starts(with: seen) {
      found("\(player) \(isUpToDate ? "is up to date and " : "")got \(what) \(seen) of \(due)")
    }
  }

  /// 7: what is applied was said on the connection that has the seat, or on the last one of an absent player.
  func checkOrigin(_ id: UInt32, _ what: String, of player: PlayerID) {
    guard let origin = saidOn[id] else { return }
    if origin.end?.reason == .superseded { found("\(what) of a superseded connection was applied") }
    if let other = connections.first(where: { $0.delivery.seat?.player == player && !$0.hasEnded }), other !== origin {
      found("\(what) was applied that \(player) had said before connection \(other.number)")
    }
  }

  /// 10: all frames, in order.
  private func digestFrame() {
    let frames = room.room.frames
    guard frames.head > digestedFrames else { return }
    digestedFrames = frames.head
    for byte in frames.frame(frames.head).buffer.bytes { frameDigest = (frameDigest ^ UInt64(byte)) &* 0x100_0000_01b3 }
  }

  /// 1, 2 and 6, when all is over: every seat was given up, every connection ended, and nobody refers to any.
  func checkAllGone() {
    checkEnds()
    if !game.players.isEmpty { found("\(game.players) never left") }
    if let open = connections.first(where: { !$0.hasEnded }) { found("connection \(open.number) never ended") }
    let leftovers = connections.map { Leftover(delivery: $0.delivery, number: $0.number) }
    connections = []
    saidOn = [:]
    forgetClients()
    for leftover in leftovers where leftover.delivery != nil {
      found("connection \(leftover.number) is still referred to though everybody is gone")
    }
  }
}

/// Tells whether anything but the simulation holds a connection.
private struct Leftover {
  weak var delivery: Delivery?
  let number: Int
}
