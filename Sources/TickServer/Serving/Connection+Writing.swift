import EventLoop
import RoomEngine
import WireFormat

/// Performs what ``Delivery`` plans; the only place that writes to a stream.
extension Connection {
  /// Most bytes of a roomless connection's own messages: a Welcome, a few Pongs and refusals.
  static let lobbyBacklogBytes = 8 * 1024

  /// Queues a message of the connection's own and sends what can go now.
  func send(bound: Int, _ write: (inout OutputRawSpan) -> Void) {
    let limit = host?.room.kind.limits.backlogBytes.bytes ?? Connection.lobbyBacklogBytes
    guard delivery.outbox.append(bound: bound + messageOverhead, limit: limit, pool: loop.pool, write) else {
      loop.end(self, .slowConsumer, "more than \(limit) bytes of its own messages were waiting")
      return
    }
    flushOutbox()
  }

  func flushOutbox() {
    guard delivery.planOutbox(into: loop.context.plan, pool: loop.pool) else { return }
    _ = writePlan()
  }

  /// Writes everything that the room has for the member, until the socket blocks.
  func pump() {
    guard case .seated(_, let host) = state else { return flushOutbox() }
    while !hasEnded {
      switch host.room.planWrite(for: delivery, now: loop.now) {
      case .wait: return
      case .evict(let text): return loop.end(self, .slowConsumer, text)
      case .write:
        guard writePlan(), loop.context.plan.hasMore else { return }
      }
    }
  }

  /// Starts the write that the newest frame has left in flight, or does what else is to be done for a slow member.
  func goOn() {
    if delivery.hasWriteInFlight, !stream.writeInFlight { startFlight() } else { pump() }
  }

  /// Offers the loop's plan to the socket; false when it blocked or failed.
  private func writePlan() -> Bool {
    let plan = loop.context.plan
    switch plan.withSlices({ stream.tryWrite($0) }) {
    case .wrote(let count):
      if delivery.took(count, of: plan, pool: loop.pool, now: loop.now) { return true }
      startFlight()
    case .wouldBlock:
      _ = delivery.took(0, of: plan, pool: loop.pool, now: loop.now)
      startFlight()
    case .failed(let error):
      loop.end(self, .writeFailed, "\(error)")
    }
    return false
  }

  /// The rest of what was begun, as the one write in flight.
  private func startFlight() {
    do {
      try delivery.withFlight { slices throws(LoopError) in try stream.write(slices) }
    } catch {
      loop.end(self, .writeFailed, "\(error)")
    }
  }

  /// After a tick: how far a slow member has come, and whether that is enough.
  func checkProgress(_ room: Room) {
    guard !hasEnded else { return }
    let answersWait = answersWait(now: loop.now)
    if delivery.hasWriteInFlight {
      delivery.queued(stream.pendingWriteBytes, now: loop.now)
    } else if room.asksKernel(about: delivery, answersWait: answersWait, now: loop.now),
      stream.unsentBytes == 0
    {
      room.kernelIsEmpty(for: delivery, answersWait: answersWait, now: loop.now)
      pump()
      guard !hasEnded else { return }
    }
    if let text = room.overdue(delivery, now: loop.now) { loop.end(self, .slowConsumer, text) }
  }
}
