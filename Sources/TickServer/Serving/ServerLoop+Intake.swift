import EventLoop
import RoomEngine

/// Reading members right before their room's tick, past libuv: who is read so is up to ``ReadingRhythm``.
///
/// libuv goes on watching them, but the kernel tells it only of what is more than a few inputs (SO_RCVLOWAT), and of ends.
extension ServerLoop {
  /// Bytes of a member that may wait for a tick before the loop is told of them.
  static let bytesLeftForTick = 1024
  /// Members of slower rooms are read as their bytes come: a Ping would wait for too long.
  static let slowestTickNanoseconds: UInt64 = 50_000_000

  /// Whether a member of the room may be read at its ticks. Sockets of other families tell of each byte.
  func readsAtTicks(_ host: RoomHost, _ stream: EventLoop.Stream) -> Bool {
    shared.configuration.readAtTicks == .auto && stream.peerAddress != nil
      && host.room.kind.tickNanoseconds <= ServerLoop.slowestTickNanoseconds
  }

  /// Of all rooms.
  var membersReadAtTicks: Int { hosts.values.reduce(0) { $0 + $1.intakes.count } }

  /// Has a seated member read at the ticks of its room.
  func beginIntake(of connection: Connection, in host: RoomHost) {
    guard let stream = StreamIntake(connection.stream),
      connection.stream.setLowWaterMark(bytes: ServerLoop.bytesLeftForTick)
    else { return connection.rhythm.rest() }
    connection.intake = host.intakes.count
    host.intakes.append(RoomHost.Intake(stream: stream, connection: Unmanaged.passUnretained(connection)))
  }

  /// Has a member read as its bytes come; nothing happens when it is. It still has the seat that it was read for.
  func endIntake(of connection: Connection) {
    connection.rhythm.rest()
    guard let index = connection.intake, let host = connection.host else { return }
    connection.intake = nil
    let last = host.intakes.removeLast()
    if index < host.intakes.count {
      host.intakes[index] = last
      last.connection._withUnsafeGuaranteedRef { $0.intake = index }
    }
    // What waits is told now. A stream that is closed already has nobody to tell.
    _ = connection.stream.setLowWaterMark(bytes: 1)
  }

  /// Takes in what the members who are read at ticks have sent by now.
  func takeIn(_ host: RoomHost) {
    // Who ends on the way is taken out of the host's, not of these: its connection is kept until the next turn of the loop.
    let intakes = host.intakes
    let buffer = UnsafeMutableRawBufferPointer(rebasing: loop.readBuffer[..<loop.readBytes])
    for index in intakes.indices {
      // The read of this one takes the kernel about as long as memory takes to answer.
      intakes[min(index + 1, intakes.count - 1)].stream.fetchAhead()
      intakes[index].connection._withUnsafeGuaranteedRef { connection in
        guard connection.intake != nil else { return }
        let count = intakes[index].stream.take(into: buffer)
        if count > 0 {
          connection.rhythm.found()
          connection.receive(UnsafeRawBufferPointer(start: buffer.baseAddress, count: count))
        } else if count < 0 {
          connection.stream.readFailed(count)
        } else if connection.rhythm.foundNothing() {
          endIntake(of: connection)
        }
      }
    }
  }
}
