import RoomEngine
public import WireFormat

/// What must hold at every moment, whatever the clients did.
extension SimulatedRoom {
  /// The hash of the room's state as of its last frame: what every client that has that frame must see.
  public var stateHash: UInt64 {
    var mirror = StateMirror(room.kind.schema)
    var content = FrameContent()
    var assembler = MessageAssembler(limit: WireLimits.serverMessageBytes)
    let bytes = room.withKeyframe { Array($0) }
    _ = try? assembler.feed(bytes.span) { _, body in
      do throws(WireError) {
        try mirror.apply(body, into: &content)
      } catch {
        faults.append("the room's keyframe: \(error)")
      }
      return .proceed
    }
    return mirror.hash
  }

  /// Tick of the room's last frame.
  public var lastFrame: Tick { room.frames.headTick }

  /// Compares every client that has the last frame with the room, and looks whether the engine's books balance; what is
  /// wrong is added to ``faults``.
  package func check(_ clients: [SimulatedClient]) {
    if !room.isClosed, room.frames.head > 0 {
      let hash = stateHash
      for client in clients where client.isInRoom && client.tick == lastFrame && client.stateHash != hash {
        faults.append("\(client.player.map(\.description) ?? "?") sees another state at \(lastFrame)")
      }
    }
    checkBooks()
  }

  /// The engine's books, and connections and seats as the shell knows them against the room's own.
  package func checkBooks() {
    faults += room.imbalances(with: connections.compactMap { $0?.delivery })
    for case let connection? in connections {
      if let fault = fault(of: connection) { faults.append("connection \(connection.number) \(fault)") }
    }
    faults += ledger.faults(ledgerCensus)
    if seats.count != room.playerCount {
      faults.append("\(room.playerCount) seats are taken, \(seats.count) are known")
    }
  }

  /// What is there, counted by looking.
  private var ledgerCensus: Census {
    var census = Census()
    for case let connection? in connections {
      if connection.hasEnded { census.closing += 1 } else { census.open += 1 }
      if case .seated = connection.state { census.seated += 1 }
    }
    census.streams = openStreams
    census.rooms = room.isClosed ? 0 : 1
    census.attached = room.attached.count
    census.seats = room.playerCount
    (census.joins, census.leaves) = (room.counters.joins, room.counters.leaves)
    census.pool = pool.usage
    return census
  }

  private func fault(of connection: SimulatedConnection) -> String? {
    let delivery = connection.delivery
    if connection.hasFailedWrite, !connection.hasEnded { return "goes on after a failed write" }
    guard !connection.hasEnded else { return connection.isHeld ? "has ended, and is still held" : nil }
    if !connection.isStreamOpen || delivery.state == .closed { return "is closed without having ended" }
    // What the room asked for outside a tick is done after the next.
    guard room.effects.isEmpty else { return nil }
    switch connection.state {
    case .handshake, .lobby, .seating: return delivery.seat == nil ? nil : "has a seat in \(connection.state)"
    case .seated(let session):
      let isServed = seats[session].map { $0.delivery === delivery && delivery.seat === $0 } ?? false
      return isServed ? nil : "is said to be seated, and is not served"
    case .ended: return nil
    }
  }

  /// Closes the room and lets go of every connection; what is still held then is added to ``faults``.
  package func finish() {
    close()
    for connection in connections { connection?.cut() }
    settle()
    if heldBuffers != 0 { faults.append("\(heldBuffers) buffers are held though everybody is gone") }
  }
}

/// How many of each the room has.
package struct SimulatedCensus: Equatable {
  let seats: Int
  let members: Int
  let connections: Int
  let streams: Int
}

extension SimulatedRoom {
  /// What must be the same again once a visitor is gone.
  package var census: SimulatedCensus {
    let open = connections.compactMap { $0 }
    return SimulatedCensus(
      seats: seats.count, members: room.attached.count, connections: open.count,
      streams: open.count { $0.isStreamOpen })
  }
}
