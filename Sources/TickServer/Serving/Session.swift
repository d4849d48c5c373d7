import EventLoop
import WireFormat

/// An authenticated client; it survives its connection while it has a seat.
struct Session: Sendable {
  let id: UInt64
  /// 128 random bits: who knows them may resume the session.
  let ticket: [UInt8]
}

/// Where each resumable session has its seat. Shared by all loops; touched when seats are taken, resumed and given up,
/// never in a tick.
final class SessionDirectory: Sendable {
  struct Place: Sendable {
    let session: UInt64
    let loop: Int
    let room: String
  }

  private struct State {
    var places: [[UInt8]: Place] = [:]
    var lastID: UInt64 = 0
  }

  private let state = Locked(State())

  /// A new session with a ticket that nobody can guess.
  func open() -> Session {
    var random = SystemRandomNumberGenerator()
    let halves = [random.next(), random.next()]
    let ticket = halves.flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> ($0 * 8)) } }
    let id = state.withLock { state in
      state.lastID += 1
      return state.lastID
    }
    return Session(id: id, ticket: ticket)
  }

  func seat(_ session: Session, loop: Int, room: String) {
    state.withLock { $0.places[session.ticket] = Place(session: session.id, loop: loop, room: room) }
  }

  func free(_ ticket: [UInt8]) {
    _ = state.withLock { $0.places.removeValue(forKey: ticket) }
  }

  func find(_ ticket: [UInt8]) -> Place? {
    state.withLock { $0.places[ticket] }
  }

  /// Sessions that have a seat.
  var count: Int { state.withLock { $0.places.count } }
}
