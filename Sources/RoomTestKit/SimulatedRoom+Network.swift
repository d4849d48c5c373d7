import RoomEngine
import WireFormat

/// Bytes between clients and server, until nothing moves any more.
extension SimulatedRoom {
  func add(_ client: SimulatedClient) -> SimulatedConnection {
    let connection = SimulatedConnection(
      number: connections.count, client: client, now: clock.now, context: context)
    connections.append(connection)
    ledger.accept()
    openStreams += 1
    onConnect?(connection)
    return connection
  }

  func settle() {
    while true {
      var moved = false
      for index in connections.indices {
        guard let connection = connections[index] else { continue }
        if carry(connection) { moved = true }
      }
      if !moved { return }
    }
  }

  /// Moves everything that can move on one connection.
  func exchange(over connection: SimulatedConnection) {
    while carry(connection) {}
  }

  /// Moves what can move on one connection now.
  ///
  /// - Returns: whether anything did.
  private func carry(_ connection: SimulatedConnection) -> Bool {
    var moved = false
    switch connection.moveFlight() {
    case nil, .waits: break
    case .completed:
      moved = true
      connection.delivery.completed(pool: pool, now: clock.now)
      pump(connection)
      connection.noteCompletion()
    case .failed:
      moved = true
      end(connection, .writeFailed, "the write in flight failed")
    }
    let client = connection.client
    let arrived = connection.takeArrived()
    if !arrived.isEmpty {
      moved = true
      if !connection.isOver { forEachPiece(arrived) { client.receive($0, over: connection) } }
    }
    if goOnReading(connection) { moved = true }
    // Its end is told at once, with all that came before.
    if !connection.isReadAtTicks || connection.isClosedByClient, takeSent(connection) { moved = true }
    return noteEnds(connection) || moved
  }

  /// Takes what the client has sent.
  ///
  /// - Returns: whether that was anything.
  private func takeSent(_ connection: SimulatedConnection) -> Bool {
    guard !connection.isOver, connection.client.connection === connection else { return false }
    let sent = connection.client.takeOutput()
    guard !sent.isEmpty else { return false }
    if !connection.isCut { forEachPiece(sent) { take($0, from: connection) } }
    return true
  }

  /// Takes what the clients have sent that are read at ticks, within one; who is, is drawn anew for the next.
  func takeIn() {
    for connection in connections {
      guard let connection else { continue }
      if connection.isReadAtTicks { _ = takeSent(connection) }
      guard readsAtTicks else { continue }
      connection.isReadAtTicks = if case .seated = connection.state { random.oneIn(2) } else { false }
    }
  }

  private func noteEnds(_ connection: SimulatedConnection) -> Bool {
    // What it said before it closed still counts.
    let isClosed = connection.isClosedByClient && connection.unread.isEmpty
    if connection.isCut || isClosed, !connection.hasEnded {
      end(connection, connection.isCut ? .peerReset : .peerClosed, "the stream ended")
      return true
    }
    guard connection.hasEnded, connections[connection.number] != nil else { return false }
    // A goodbye said just now is still to be read.
    guard connection.arrived.isEmpty else { return true }
    var moved = false
    if !connection.isOver {
      connection.isOver = true
      connection.client.connectionEnded(connection)
      moved = true
    }
    // The server is told within a turn that its peer has ended too, or that the stream it closed is closed.
    guard !connection.isStreamOpen || !connection.keepsItsEnd || connection.isCut else { return moved }
    connection.closeStream()
    didClose(connection)
    return true
  }

  private func forEachPiece(_ bytes: [UInt8], _ body: (Span<UInt8>) -> Void) {
    guard fragmentsReads else { return body(bytes.span) }
    var at = 0
    while at < bytes.count {
      let count = min(bytes.count - at, 1 + random.below(random.oneIn(2) ? 4 : 200))
      body(bytes.span.extracting(at..<(at + count)))
      at += count
    }
  }
}
