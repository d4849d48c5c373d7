import Logging
import RoomEngine

/// The loop between the wish to stop and the goodbye: its rooms go on until they are done.
extension ServerLoop {
  /// Tells all rooms that are open here. A nearer deadline may follow; loops are told from several threads, so one that
  /// is further may come late.
  func letRoomsEnd(_ lameDuck: LameDuck) {
    guard drainUntil == nil, !isFinished, lameDuck.until < self.lameDuck?.until ?? Instant(nanoseconds: .max) else {
      return
    }
    self.lameDuck = lameDuck
    for host in hosts.values { host.room.prepareToEnd(by: lameDuck.closesFrom) }
    // Those in which nobody is.
    closeAbandonedRooms()
    lookForTheEnd(now: clock())
  }

  /// Called by the sweep.
  func followLameDuck(now: Instant) {
    guard let lameDuck, drainUntil == nil, !isFinished else { return }
    dismiss(
      lameDuck.dueGoodbyes(
        of: undismissedPlayers, told: dismissedPlayers, now: now, stepNanoseconds: Self.sweepNanoseconds))
    endDismissed()
    lookForTheEnd(now: now)
    if index == 0 { logLameDuck(lameDuck, now: now) }
  }

  private static let sweepNanoseconds = sweepMilliseconds * 1_000_000

  private var undismissedPlayers: Int {
    hosts.values.reduce(0) { $0 + ($1.isDismissed ? 0 : $1.room.playerCount) }
  }

  /// Chooses rooms with so many players at most, smallest first: most players keep their match longest.
  private func dismiss(_ players: Int) {
    guard players > 0 else { return }
    var due = players
    let candidates = hosts.values.filter { !$0.isDismissed }
      .sorted { ($0.room.playerCount, $0.room.name) < ($1.room.playerCount, $1.room.name) }
    for host in candidates {
      due -= host.room.playerCount
      guard due >= 0 else { break }
      host.isDismissed = true
      dismissedPlayers += host.room.playerCount
    }
  }

  /// Says goodbye to the members of dismissed rooms, and closes those that have none left.
  private func endDismissed() {
    let dismissed = hosts.values.filter(\.isDismissed)
    guard !dismissed.isEmpty else { return }
    forEachConnection { connection in
      guard connection.host?.isDismissed == true, !connection.delivery.hasWriteInFlight else { return }
      end(connection, .draining, "the server is shutting down")
    }
    for host in dismissed where host.room.attached.isEmpty { close(host, .draining, "the server is shutting down") }
  }

  /// The end of the lame duck is the same for all loops: whichever sees it first tells the others.
  private func lookForTheEnd(now: Instant) {
    if shared.rooms.count == 0 {
      shared.handle(.roomsGone, by: "the end of the last room")
    } else {
      shared.handle(.clock(now: now), by: "the deadline")
    }
  }

  private func logLameDuck(_ lameDuck: LameDuck, now: Instant) {
    guard let last = lameDuckLoggedAt else { return lameDuckLoggedAt = now }
    guard now.nanoseconds(since: last) >= Self.ledgerLogNanoseconds else { return }
    lameDuckLoggedAt = now
    let left = shared.left
    logger.notice(
      "lame duck goes on",
      metadata: [
        "rooms": "\(left.rooms)", "players": "\(left.players)",
        "secondsLeft": "\(lameDuck.secondsLeft(at: now))",
      ])
  }
}
