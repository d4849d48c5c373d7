import EventLoop
import RoomEngine
import WireFormat

/// Performs what ``ConnectionLifecycle`` decides; the only place that ends streams and lets go of what connections
/// hold.
extension ServerLoop {
  /// Ends a connection, once: tells it if the stream is at a message's end, releases all that is held, leaves the seat
  /// to the grace period or gives it up.
  func end(_ connection: Connection, _ reason: CloseReason, _ text: String, canTell: Bool = true) {
    let canTell = canTell && !connection.delivery.hasWriteInFlight
    perform(connection.lifecycle.handle(.ended(reason, canTell: canTell)), on: connection, text)
  }

  /// The connection's descriptor lives on another loop now.
  func handedOver(_ connection: Connection) {
    perform(connection.lifecycle.handle(.handedOver), on: connection)
  }

  /// The stream's handle and descriptor are closed.
  func didClose(_ connection: Connection) {
    end(connection, .internalError, "its stream was closed without a reason", canTell: false)
    perform(connection.lifecycle.handle(.streamClosed), on: connection)
  }

  /// Ends the wait for peers that do not end on their side.
  func checkLinger(of connection: Connection, now: Instant) {
    perform(connection.lifecycle.handle(.clock(now: now)), on: connection)
  }

  private func perform(_ action: ConnectionLifecycle.Action, on connection: Connection, _ text: String = "") {
    ledger.note(action)
    switch action {
    case .none: break
    case .part(let departure):
      log(connection, departure.reason, text)
      let isSaid = departure.isTold && sayGoodbye(connection, departure, text)
      perform(connection.lifecycle.handle(.farewell(isSaid ? .said : .unsaid, now: now)), on: connection)
    case .letGo(let ending, let keepsSeat):
      closeOutlet(of: connection)
      switch ending {
      case .flush: connection.stream.closeAfterFlush()
      case .close: connection.stream.close()
      case .reset: connection.stream.reset()
      case .detached: break
      }
      letGo(of: connection, keepsSeat: keepsSeat, isHere: ending != .detached)
    case .reset: connection.stream.reset()
    case .release(let place):
      remove(connection)
      shared.admission.leave(place, connection.stream.peerAddress?.ip)
      finishDrainIfEmpty()
    }
  }

  private func letGo(of connection: Connection, keepsSeat: Bool, isHere: Bool) {
    let state = connection.state
    connection.state = .ended
    connection.countHeldInput()
    switch state {
    case .seating(_, let host), .seated(_, let host):
      host.room.detach(connection.delivery, keepsSeat: keepsSeat, now: now)
    case .moving(.join(_, let join), _, _):
      // Its claim goes with it.
      if isHere { shared.rooms.abandon(join.room) }
      connection.delivery.close(pool: pool)
    case .handshake, .lobby, .moving, .ended: connection.delivery.close(pool: pool)
    }
  }

  /// - Returns: whether the socket took the goodbye whole.
  private func sayGoodbye(
    _ connection: Connection, _ departure: ConnectionLifecycle.Departure, _ text: String
  ) -> Bool {
    let goodbye = Goodbye(
      departure.reason, retryAfterMilliseconds: departure.retryAfterMilliseconds, text: text)
    let bytes = encodedBytes(bound: Goodbye.bound + messageOverhead) { goodbye.encode(into: &$0) }
    // What waits in the outbox belongs before it; if that does not go out whole, nothing more can be told. Answers of a
    // room mean nothing before its Joined.
    if connection.delivery.state != .joining, connection.delivery.planOutbox(into: context.plan, pool: pool) {
      let size = connection.delivery.outbox.count
      guard context.plan.withSlices({ connection.stream.tryWrite($0) }) == .wrote(size) else { return false }
    }
    return bytes.withUnsafeBytes { connection.stream.tryWrite($0) } == .wrote(bytes.count)
  }
}
