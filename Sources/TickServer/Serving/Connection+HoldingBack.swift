import EventLoop
import RoomEngine
import WireFormat

/// Reading no more than the client's rates and its room allow: what it sends beyond waits in its socket.
extension Connection {
  /// Stops reading, and keeps what was read already, until the loop finds that the client may go on.
  func hold(_ unread: [UInt8]) {
    guard !hasEnded else { return }
    isHeldBack = true
    heldBytes = unread
    heldBackAt = loop.now
    loop.endIntake(of: self)
    stream.stopReading()
    loop.heldBack.append(self)
  }

  /// Takes what it has held, and reads again, as far as the client may go on by now; else it stays held back.
  func goOnReading() {
    // On its way to another loop, which takes up what is left.
    guard isHeldBack, isReading, !hasEnded else { return }
    // As long as nothing was read its silence was ours.
    heardAt = loop.now
    guard mayGoOn else { return loop.heldBack.append(self) }
    isHeldBack = false
    let held = heldBytes
    heldBytes = []
    if !held.isEmpty { take(held.span) }
    countHeldInput()
    if isReading, !isHeldBack, !hasEnded { stream.startReading() }
  }

  /// Whether answers of the client may wait behind what the server has not read yet.
  func answersWait(now: Instant) -> Bool {
    isHeldBack || heldBackAt.map { now.nanoseconds(since: $0) < Self.answersWaitNanoseconds } ?? false
  }

  /// Backlogs are read in pieces, with pauses between them.
  private static let answersWaitNanoseconds: UInt64 = 1_000_000_000

  private var mayGoOn: Bool {
    !pace.isSpent(now: loop.realNow) && (host?.room.mayReceive(from: delivery, now: loop.realNow) ?? true)
  }
}

extension ServerLoop {
  /// Between two looks at who may go on: with hundreds of ticks a second there would be as many.
  private static let holdingNanoseconds: UInt64 = 4_000_000

  /// Lets those go on reading who have been held back for long enough. Called after ticks, which empty inboxes, and by the
  /// sweep.
  func goOnReading() {
    guard !heldBack.isEmpty else { return }
    let now = clock()
    guard now.nanoseconds(since: lookedAtHeldBack) >= ServerLoop.holdingNanoseconds else { return }
    lookedAtHeldBack = now
    let connections = heldBack
    heldBack.removeAll()
    for connection in connections { connection.goOnReading() }
  }
}
