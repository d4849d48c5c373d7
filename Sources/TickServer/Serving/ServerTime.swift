import EventLoop
import RoomEngine

/// Where a server's time comes from.
enum ServerTime: Sendable {
  case system
  /// Moved by a test.
  case manual(ManualTime)

  /// The time right now.
  var now: Instant {
    switch self {
    case .system: Instant(nanoseconds: Loop.clock().nanoseconds)
    case .manual(let time): time.now
    }
  }

  /// The time of a loop's turn, which costs no look at the clock.
  func ofTurn(of loop: Loop) -> Instant {
    switch self {
    case .system: Instant(nanoseconds: loop.now.nanoseconds)
    case .manual(let time): time.now
    }
  }
}

/// A time that moves only when told to.
final class ManualTime: Sendable {
  private let instant: Locked<Instant>

  init(_ start: Instant) {
    instant = Locked(start)
  }

  var now: Instant { instant.withLock { $0 } }

  func advance(byNanoseconds nanoseconds: UInt64) {
    instant.withLock { $0 = $0.advanced(byNanoseconds: nanoseconds) }
  }
}
