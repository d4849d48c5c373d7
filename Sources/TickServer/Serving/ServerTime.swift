import EventLoop
import RoomEngine
import Synchronization

/// Where a server's time comes from.
enum ServerTime: Sendable {
  case system
  /// Moved by a test.
  case manual(ManualTime)

  var isManual: Bool { if case .manual = self { true } else { false } }

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
  private let nanoseconds: Atomic<UInt64>

  init(_ start: Instant) {
    nanoseconds = Atomic(start.nanoseconds)
  }

  /// Costs no more than a loop's own time, or measurements would count it.
  var now: Instant { Instant(nanoseconds: nanoseconds.load(ordering: .relaxed)) }

  func advance(byNanoseconds more: UInt64) {
    nanoseconds.add(more, ordering: .relaxed)
  }
}
