import EventLoop
import RoomEngine
import WireFormat

/// A connection on its way to the loop of its room, with the bytes it has not handled yet.
struct MovingConnection: Sendable {
  /// What it goes there for.
  enum Purpose: Sendable {
    case join(Session, Join)
    case resume(ResumePoint)
  }

  let descriptor: SocketDescriptor
  let peerAddress: SocketAddress?
  let purpose: Purpose
  let unread: [UInt8]
  /// What is left of its rates: outside rooms, and of the seat that it had.
  let pace: ConnectionPace
  let formerSeatBucket: TokenBucket?
}
