import RoomEngine
import WireFormat

/// When connections end that do nothing; each is measured on simulated time, after a tick.
package struct SimulatedDeadlines {
  /// For Hello and Join.
  package var handshake: Duration
  /// Without a byte from the client.
  package var idle: Duration
  /// After so long without one it is asked for a sign of life.
  package var ping: Duration

  package init(handshake: Duration, idle: Duration, ping: Duration) {
    self.handshake = handshake
    self.idle = idle
    self.ping = ping
  }
}

/// Performs what ``RoomEngine/ConnectionLifecycle`` decides, as a server's loop does.
extension SimulatedRoom {
  /// Ends a connection, once: tells it if the stream is at a message's end, releases all that is held, leaves the seat
  /// to the grace period or gives it up.
  func end(_ connection: SimulatedConnection, _ reason: CloseReason, _ text: String) {
    let canTell = !connection.delivery.hasWriteInFlight
    perform(connection.lifecycle.handle(.ended(reason, canTell: canTell)), on: connection, text)
  }

  /// The stream's handle and descriptor are closed.
  func didClose(_ connection: SimulatedConnection) {
    openStreams -= 1
    end(connection, .internalError, "its stream was closed without a reason")
    perform(connection.lifecycle.handle(.streamClosed), on: connection)
  }

  private func perform(
    _ action: ConnectionLifecycle.Action, on connection: SimulatedConnection, _ text: String = ""
  ) {
    ledger.note(action)
    switch action {
    case .none: break
    case .part(let departure):
      if connection.end != nil { faults.append("connection \(connection.number) ended twice") }
      connection.end = (departure.reason, text)
      let isSaid = departure.isTold && sayGoodbye(connection, departure, text)
      let farewell = ConnectionLifecycle.Event.farewell(isSaid ? .said : .unsaid, patience: 0, now: clock.now)
      perform(connection.lifecycle.handle(farewell), on: connection)
    case .letGo(let ending, let keepsSeat):
      if ending == .flush { connection.finishStream() } else { connection.closeStream() }
      letGo(of: connection, keepsSeat: keepsSeat)
      look(at: connection)
    case .close, .closeUnawaited, .reset: connection.closeStream()
    case .release: connections[connection.number] = nil
    }
  }

  /// What the pipe took has arrived: nothing is unsent.
  private func look(at connection: SimulatedConnection) {
    perform(connection.lifecycle.handle(.looked(unsentBytes: 0, now: clock.now)), on: connection)
  }

  private func letGo(of connection: SimulatedConnection, keepsSeat: Bool) {
    let state = connection.state
    connection.state = .ended
    switch state {
    case .seating, .seated: room.detach(connection.delivery, keepsSeat: keepsSeat, now: clock.now)
    case .handshake, .lobby, .ended: connection.delivery.close(pool: pool)
    }
  }

  /// - Returns: whether the pipe took the goodbye whole.
  private func sayGoodbye(
    _ connection: SimulatedConnection, _ departure: ConnectionLifecycle.Departure, _ text: String
  ) -> Bool {
    // Clients of a room are few, and all in one test: in the middle of what a server would spread.
    let retryAfter = RetryAfter.milliseconds(departure.reason, share: 0.5, drainNanoseconds: 1_000_000_000)
    let goodbye = Goodbye(departure.reason, retryAfterMilliseconds: retryAfter, text: text)
    // Answers of a room mean nothing before its Joined.
    if connection.delivery.state != .joining, connection.delivery.planOutbox(into: context.plan, pool: pool) {
      let size = connection.delivery.outbox.count
      guard context.plan.withSlices({ connection.tryWrite($0) }) == .took(size) else { return false }
    }
    let bytes = encodedBytes(bound: Goodbye.bound + messageOverhead) { goodbye.encode(into: &$0) }
    return bytes.withUnsafeBytes { bytes in
      withUnsafePointer(to: bytes) {
        connection.tryWrite(UnsafeBufferPointer(start: $0, count: 1)) == .took(bytes.count)
      }
    }
  }

  // MARK: Deadlines

  func sweep() {
    let now = clock.now
    for case let connection? in connections {
      if connection.hasEnded {
        look(at: connection)
      } else {
        if case .seated = connection.state { room.watch(connection.delivery, isJudged: true, now: now) }
        if let deadlines { sweep(connection, deadlines, now) }
      }
    }
    settle()
  }

  private func sweep(_ connection: SimulatedConnection, _ deadlines: SimulatedDeadlines, _ now: Instant) {
    if connection.isRoomless, now.nanoseconds(since: connection.roomlessSince) > deadlines.handshake.wholeNanoseconds {
      end(connection, .handshakeTimeout, "no Hello and Join within \(deadlines.handshake)")
    } else if now.nanoseconds(since: connection.heardAt) > deadlines.idle.wholeNanoseconds {
      end(connection, .idle, "nothing was received for \(deadlines.idle)")
    } else if connection.isConversing,
      now.nanoseconds(since: max(connection.heardAt, connection.pingedAt)) > deadlines.ping.wholeNanoseconds
    {
      connection.pingedAt = now
      send(connection, bound: 16) { Ping.encode(token: now.nanoseconds, into: &$0) }
    }
  }
}
