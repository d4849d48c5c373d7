import ClientCore
import RoomEngine
import RoomTestKit
import WireFormat

/// What clients and the network do.
extension RandomRun {
  func act() {
    guard let client = clients.randomElement(using: &random), !random.oneIn(8) || clients.count > 7 else {
      if random.oneIn(clients.count + 1) { add(random.oneIn(5) ? room.connect() : room.join()) }
      return
    }
    if !client.isConnected {
      if random.oneIn(2) { client.connect() }
      return
    }
    switch random.below(18) {
    case 0...3: move(client)
    case 4...6: talk(client)
    case 7: call(client)
    case 8 where random.oneIn(3): if client.isInRoom { client.leave() }
    case 9: if client.core.phase == .welcomed { client.join() }
    case 10, 15: disturb(client)
    case 11 where random.oneIn(6):
      client.connection?.cut(afterBytes: random.oneIn(3) ? 0 : random.below(2000))
    case 12 where random.oneIn(6): client.disconnect()
    case 13 where random.oneIn(4): client.connect()
    case 14: if random.oneIn(2) { client.connection?.grant(random.below(500)) } else { client.connection?.flow() }
    case 16 where random.oneIn(8): client.connection?.failWrites(afterBytes: random.below(random.oneIn(2) ? 1 : 1000))
    case 17: if random.oneIn(3) { client.connection?.vanish() } else { impersonate() }
    default: if random.oneIn(6) { client.connection?.flow() }
    }
  }

  private func disturb(_ client: SimulatedClient) {
    guard let connection = client.connection else { return }
    switch random.below(5) {
    case 0: connection.flow()
    case 1: connection.mostBytesPerWrite = random.oneIn(3) ? nil : random.below(300)
    case 2:
      connection.stall()
      connection.trickleBytes = random.below(random.oneIn(2) ? 40 : 400)
    case 3:
      let most = 1 + random.below(random.oneIn(2) ? 30 : 1000)
      connection.takesBytes = random.oneIn(3) ? nil : { [unowned self] in random.below(most) }
    default:
      connection.stall()
      connection.grant(random.oneIn(2) ? 0 : random.below(300))
    }
  }

  private func move(_ client: SimulatedClient) {
    guard client.isInRoom, let avatar = client.ownEntities(RandomSchema.avatar).first else { return }
    let keys = keys
    let x = Double(random.below(200)) - 100
    let degrees = Double(random.below(360))
    let which = random.below(4)
    let text = String(repeating: "x", count: random.below(13))
    client.say { core throws(ClientMisuse) in
      try core.set(keys.position, of: avatar, to: SIMD2(x, -x))
      if which == 0 { try core.set(keys.yaw, of: avatar, to: degrees) }
      if which == 1 { try core.set(keys.name, of: avatar, to: text) }
      if which == 2 { try core.set(keys.turn, of: avatar, to: Quaternion(w: x, x: degrees, y: 1, z: -2)) }
      try core.flushInput()
    }
  }

  private func talk(_ client: SimulatedClient) {
    guard client.isInRoom else { return }
    let target: EventTarget =
      switch random.below(5) {
      case 0: .one(PlayerID(rawValue: UInt16(random.below(6))))
      case 1, 2: .others
      default: .all
      }
    for _ in 0...random.below(3) where client.isInRoom {
      let id = nextID()
      saidOn[id] = client.connection
      let most = min(random.oneIn(5) ? 900 : 60, room.room.kind.limits.payloadBytes.bytes - 4)
      client.raise(20, bytes(id, random.below(most + 1)), to: target, reliably: !random.oneIn(3))
    }
  }

  private func call(_ client: SimulatedClient) {
    guard client.isInRoom else { return }
    for _ in 0...(random.oneIn(10) ? 17 : 0) where client.isInRoom {
      let id = nextID()
      saidOn[id] = client.connection
      let most = min(50, room.room.kind.limits.payloadBytes.bytes - 4)
      client.call(UInt16(1 + random.below(4)), payload: bytes(id, random.below(most + 1)))
    }
  }

  /// What a superseded connection had sent, or still sends, must not reach the seat that it had.
  private func impersonate() {
    let superseded = connections.filter { $0.end?.reason == .superseded }
    guard !room.room.isClosed, let older = superseded.randomElement(using: &random) else { return }
    let id = nextID()
    saidOn[id] = older
    let payload = bytes(id, 0)
    let event = encodedBytes(bound: 32) { out in
      ClientEvent.encode(isReliable: true, target: .all, code: 20, payload: payload.span, into: &out)
    }
    // Without its length and type.
    let body = event.span.extracting(2..<event.count)
    _ = room.room.receive(.event, body, from: older.delivery, now: room.clock.now)
    let nothing: [UInt8] = []
    _ = room.room.receive(.leave, nothing.span, from: older.delivery, now: room.clock.now)
  }
}
