import EventLoop
import Logging
import RoomEngine
import WireFormat

/// Connections on their way between loops.
extension ServerLoop {
  /// Hands a connection to the loop of its room, once nothing of its own is on the way out.
  func move(_ connection: Connection) {
    guard case .moving(let purpose, let target, let unread) = connection.state,
      !connection.delivery.hasWriteInFlight
    else { return }
    let stream = connection.stream
    guard shared.moving.withLock({ $0.take(unread.count) }) else {
      return end(connection, .overBudget, "the server is short of memory for input: try again later")
    }
    do throws(LoopError) {
      let isHandedOver = try stream.detach { descriptor in
        let moving = MovingConnection(
          descriptor: descriptor, peerAddress: stream.peerAddress, purpose: purpose, unread: unread,
          pace: connection.pace, formerSeatBucket: connection.delivery.formerBucket)
        return shared.post(.arrival(moving), to: target)
      }
      if isHandedOver {
        handedOver(connection)
      } else {
        // The connection is still here, and can be told.
        shared.moving.withLock { $0.giveBack(unread.count) }
        end(connection, .draining, "the server is shutting down")
      }
    } catch {
      shared.moving.withLock { $0.giveBack(unread.count) }
      logFault("can't move a connection to another loop", error, level: .warning)
      end(connection, .internalError, "the connection can't be moved to the loop of the room")
    }
  }

  /// Takes over a connection from another loop, with what it had not handled yet.
  func arrive(_ moving: MovingConnection) {
    ledger.arrive()
    shared.moving.withLock { $0.giveBack(moving.unread.count) }
    let stream: EventLoop.Stream
    do throws(LoopError) {
      stream = try EventLoop.Stream(adopting: moving.descriptor, loop: loop, peerAddress: moving.peerAddress)
    } catch {
      if case .join(_, let join) = moving.purpose { shared.rooms.abandon(join.room) }
      shared.admission.leave(.admitted, AddressKey(moving.peerAddress))
      ledger.turnAway(loop.isStopping ? .draining : .internalError)
      logFault("can't take over a connection from another loop", error, level: .warning)
      return
    }
    let connection = add(stream, place: .admitted)
    connection.pace = moving.pace
    connection.delivery.formerBucket = moving.formerSeatBucket
    if case .join(let session, _) = moving.purpose {
      connection.state = .lobby(session)
      connection.raiseMessageLimit()
    }
    arrive(connection, moving.purpose)
    connection.applyMessageLimit()
    // It was on its way when the others were told.
    if drainUntil != nil { end(connection, .draining, "the server is shutting down") }
    guard !connection.hasEnded else { return }
    connection.isHeldBack = connection.isHeldBack || connection.pace.isSpent(now: realNow)
    if connection.isHeldBack {
      connection.hold(moving.unread)
    } else if !moving.unread.isEmpty {
      connection.take(moving.unread.span)
    }
    connection.countHeldInput()
    if connection.isReading, !connection.isHeldBack { stream.startReading() }
  }
}
