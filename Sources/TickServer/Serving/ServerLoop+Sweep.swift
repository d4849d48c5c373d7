import EventLoop
import Logging
import RoomEngine
import WireFormat

/// Deadlines of connections, and the end of the loop.
extension ServerLoop {
  func sweep() {
    let configuration = shared.configuration
    let handshake = configuration.handshakeDeadline.wholeNanoseconds
    let idle = configuration.idleDeadline.wholeNanoseconds
    let ping = configuration.pingInterval.wholeNanoseconds
    let now = attendedClock()
    goOnReading()
    // Right after the loop stood still, what tells that somebody is there waits to be read.
    let judges = !context.isCatchingUp
    forEachConnection { connection in
      if connection.hasEnded {
        look(at: connection, now: now)
      } else if judges, connection.isRoomless, now.nanoseconds(since: connection.roomlessSince) > handshake {
        end(connection, .handshakeTimeout, "no Hello and Join within \(configuration.handshakeDeadline)")
      } else if judges, now.nanoseconds(since: connection.heardAt) > idle {
        end(connection, .idle, "nothing was received for \(configuration.idleDeadline)")
      } else if case .seated(_, let host) = connection.state, connection.delivery.isFast,
        now.nanoseconds(since: max(connection.heardAt, connection.pingedAt)) <= ping
      {
        host.room.watch(connection.delivery, isJudged: judges, now: now)
      } else if connection.isConversing, now.nanoseconds(since: max(connection.heardAt, connection.pingedAt)) > ping {
        connection.ping(at: now)
      }
    }
    closeAbandonedRooms()
    relievePressure()
    if lameDuck != nil { followLameDuck(now: clock()) }
    checkLedger()
    logLedger(now: clock())
    logSums(now: now)
    // What is promised to who waits for the end is real time.
    if let drainUntil, clock() > drainUntil { finish() }
  }

  // MARK: Draining

  /// Stops accepting and says goodbye; connections in the middle of a message are given until the deadline to take the
  /// rest of it.
  func drain() {
    guard drainUntil == nil else { return }
    drainUntil = clock().advanced(byNanoseconds: shared.configuration.drain.wholeNanoseconds)
    listener?.close()
    for connection in connections {
      guard let connection, !connection.delivery.hasWriteInFlight else { continue }
      end(connection, .draining, "the server is shutting down")
    }
    finishDrainIfEmpty()
  }

  func finishDrainIfEmpty() {
    guard drainUntil != nil, ledger.held == 0 else { return }
    finish()
    stopNow()
  }

  /// Ends the loop with all that is left on it, once. Goodbyes that it says now have a moment to arrive.
  func finish() {
    guard !isFinished else { return }
    isFinished = true
    // Who still arrives is told the same.
    drainUntil = drainUntil ?? clock()
    listener?.close()
    checkLedger()
    var areTold = false
    for connection in connections {
      guard let connection, !connection.hasEnded else { continue }
      end(connection, .draining, "the server is shutting down")
      areTold = areTold || connection.stream.isOpen
    }
    closeAllRooms()
    logSums(now: now, all: true)
    // A loop that never listened belongs to a server that could not start: that is told in one line elsewhere.
    if listener != nil { logger.info("loop ended", metadata: summary) }
    guard areTold, let timer = try? EventLoop.Timer(loop: loop, callback: { [unowned self] in stopNow() }) else {
      return stopNow()
    }
    timer.start(afterMilliseconds: ServerLoop.lastMomentMilliseconds)
    lastMoment = timer
  }

  /// As long as an acknowledgement takes from the other side of the world.
  private static let lastMomentMilliseconds: UInt64 = 300

  /// Ends the loop. What has not left by now never will: nobody would be there to give it up.
  func stopNow() {
    guard !loop.isStopping else { return }
    for connection in connections {
      if let connection { displace(connection) }
    }
    loop.stop()
  }
}
