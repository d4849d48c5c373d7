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

  /// Ends the wait for peers that do not take what waits for them, or do not end on their side.
  func look(at connection: Connection, now: Instant) {
    perform(connection.lifecycle.handle(.looked(unsentBytes: connection.lookAtUnsentBytes(), now: now)), on: connection)
  }

  /// The peer of a connection that has ended here has ended too.
  func peerEnded(_ connection: Connection) {
    perform(connection.lifecycle.handle(.peerEnded(unsentBytes: connection.lookAtUnsentBytes())), on: connection)
  }

  /// Another one needs the place of a connection that has ended.
  func displace(_ connection: Connection) {
    perform(connection.lifecycle.handle(.displaced(unsentBytes: connection.lookAtUnsentBytes())), on: connection)
  }

  private func perform(_ action: ConnectionLifecycle.Action, on connection: Connection, _ text: String = "") {
    ledger.note(action)
    switch action {
    case .none: break
    case .part(let departure):
      log(connection, departure.reason, text)
      let isSaid = departure.isTold && sayGoodbye(connection, departure, text)
      let farewell = ConnectionLifecycle.Event.farewell(
        isSaid ? .said : .unsaid, patience: patience(with: connection), now: now)
      perform(connection.lifecycle.handle(farewell), on: connection)
    case .letGo(let ending, let keepsSeat):
      closeOutlet(of: connection)
      switch ending {
      case .flush: connection.stream.finish()
      case .reset: connection.stream.reset()
      case .detached: break
      }
      letGo(of: connection, keepsSeat: keepsSeat, isHere: ending != .detached)
      if ending == .flush { look(at: connection, now: now) }
    case .close: connection.stream.close()
    case .closeUnawaited: connection.stream.closeLeavingWait(toKernel: ServerLoop.kernelLingerSeconds)
    case .reset: connection.stream.reset()
    case .release(let place):
      if place == .refused { refusals.leave(connection.slot) }
      remove(connection)
      shared.admission.leave(place, connection.address)
      finishDrainIfEmpty()
    }
  }

  /// How long its peer may take nothing of what the kernel has for it: as long as in its room, else as in the strictest.
  private func patience(with connection: Connection) -> UInt64 {
    connection.host?.room.kind.limits.stallDeadline.wholeNanoseconds ?? shared.leastStallNanoseconds
  }

  /// For peers that were told, in whole seconds: ``ConnectionLifecycle/lingerNanoseconds``.
  private static let kernelLingerSeconds = Int32(ConnectionLifecycle.lingerNanoseconds / 1_000_000_000)

  private func letGo(of connection: Connection, keepsSeat: Bool, isHere: Bool) {
    let state = connection.state
    connection.state = .ended
    connection.countHeldInput()
    switch state {
    case .seating(_, let host), .seated(_, let host):
      host.room.detach(connection.delivery, keepsSeat: keepsSeat, now: now)
      // A newcomer who comes next may need its room.
      noteChanges(in: host)
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
    let retryAfter = RetryAfter.milliseconds(
      departure.reason, share: Double.random(in: 0...1),
      drainNanoseconds: shared.configuration.drain.wholeNanoseconds)
    let goodbye = Goodbye(departure.reason, retryAfterMilliseconds: retryAfter, text: text)
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
