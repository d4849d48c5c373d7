import RoomEngine
import WireFormat

/// Ticks, what they ask for, and the writes that follow: the loop of a server without the loop.
extension SimulatedRoom {
  func runDueTick() {
    guard let due = schedule.takeDue(now: clock.now) else { return }
    for connection in connections {
      connection?.grant(connection?.trickleBytes ?? 0)
      connection?.readOn()
    }
    room.run(Tick(UInt32(truncatingIfNeeded: due.number - place.first)), now: clock.now, takeIn: takeIn)
    room.takeEffects(perform)
    room.takeSeatCharges { _ in }
    deliver()
    context.settle()
    settle()
    sweep()
    if let text = room.ending { close(.roomClosed, text) }
    if room.isAbandoned(now: clock.now) { close(.roomClosed, "nobody is in the room") }
    if let lameDuck, clock.now >= lameDuck.until { close(.draining, "the server is shutting down") }
    afterTick?()
  }

  private func deliver() {
    room.deliverNewestFrame(now: clock.now) { tag, bytes in
      guard let connection = connections[tag] else { return -1 }
      let offered: InlineArray<1, UnsafeRawBufferPointer> = [bytes]
      guard case .took(let count) = offered.span.withUnsafeBufferPointer({ connection.tryWrite($0) }) else { return -1 }
      return count
    } others: { delivery in
      guard let connection = connections[delivery.tag] else { return }
      if delivery.hasWriteInFlight, !connection.isBlocked {
        delivery.withFlight { connection.startFlight($0) }
      } else {
        pump(connection)
      }
      checkProgress(connection)
    }
  }

  func perform(_ effect: RoomEffect) {
    switch effect {
    case .seated(let delivery, let seat):
      guard let connection = connection(of: delivery), case .seating(let session) = connection.state else { return }
      seats[session] = seat
      connection.state = .seated(session: session)
    case .refused(let delivery, let refused):
      guard let connection = connection(of: delivery), case .seating(let session) = connection.state else { return }
      connection.state = .lobby(session: session)
      connection.roomlessSince = clock.now
      send(connection, bound: refused.bound) { refused.encode(into: &$0) }
    case .left(let delivery):
      guard let connection = connection(of: delivery), case .seated(let session) = connection.state else { return }
      connection.state = .lobby(session: session)
      connection.roomlessSince = clock.now
      send(connection, bound: 1) { $0.put(empty: .left) }
    case .evict(let delivery, let reason, let text):
      if let connection = connection(of: delivery) { end(connection, reason, text) }
    case .freed(let session):
      if seats.removeValue(forKey: session) == nil {
        faults.append("the seat of session \(session) was given up twice")
      }
    case .fault(let fault): faults.append(fault.text(in: room.kind.schema))
    }
  }

  /// The connection that a delivery belongs to; an effect for any other is a fault.
  private func connection(of delivery: Delivery) -> SimulatedConnection? {
    guard let connection = connections[delivery.tag], connection.delivery === delivery else {
      faults.append("an effect for connection \(delivery.tag), which is gone")
      return nil
    }
    if connection.hasEnded { faults.append("an effect for connection \(delivery.tag), which has ended") }
    return connection
  }

  // MARK: Writing

  /// Queues a message of the connection's own and sends what can go now.
  func send(_ connection: SimulatedConnection, bound: Int, _ write: (inout OutputRawSpan) -> Void) {
    let limit = room.kind.limits.backlogBytes.bytes
    guard connection.delivery.outbox.append(bound: bound + messageOverhead, limit: limit, pool: pool, write) else {
      return end(connection, .slowConsumer, "more than \(limit) bytes of its own messages were waiting")
    }
    flushOutbox(connection)
  }

  private func flushOutbox(_ connection: SimulatedConnection) {
    guard connection.delivery.planOutbox(into: context.plan, pool: pool) else { return }
    _ = writePlan(connection)
  }

  /// Writes everything that the room has for the member, until the pipe blocks.
  func pump(_ connection: SimulatedConnection) {
    guard case .seated = connection.state else { return connection.hasEnded ? () : flushOutbox(connection) }
    while !connection.hasEnded {
      switch room.planWrite(for: connection.delivery, now: clock.now) {
      case .wait: return
      case .evict(let text): return end(connection, .slowConsumer, text)
      case .write: guard writePlan(connection), context.plan.hasMore else { return }
      }
    }
  }

  /// Offers the plan to the pipe; false when it blocked or failed.
  private func writePlan(_ connection: SimulatedConnection) -> Bool {
    let plan = context.plan
    guard case .took(let count) = plan.withSlices({ connection.tryWrite($0) }) else {
      end(connection, .writeFailed, "a write failed")
      return false
    }
    if connection.delivery.took(count, of: plan, pool: pool, now: clock.now) { return true }
    connection.delivery.withFlight { connection.startFlight($0) }
    return false
  }

  private func checkProgress(_ connection: SimulatedConnection) {
    guard !connection.hasEnded else { return }
    let delivery = connection.delivery
    if delivery.hasWriteInFlight { delivery.queued(connection.flightBytes, now: clock.now) }
    if room.asksKernel(about: delivery, now: clock.now) {
      room.kernelIsEmpty(for: delivery, now: clock.now)
      pump(connection)
    }
    guard !connection.hasEnded else { return }
    if let text = room.overdue(delivery, now: clock.now) {
      end(connection, .slowConsumer, text)
    }
  }
}
