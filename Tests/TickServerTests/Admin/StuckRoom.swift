import EventLoop
import RoomEngine
import WireFormat

@testable import TickServer

/// Opened and closed from the test, asked by a room on its loop.
final class Gate: Sendable {
  private let closed = Locked(false)

  var isClosed: Bool { closed.withLock { $0 } }
  func close() { closed.withLock { $0 = true } }
  func open() { closed.withLock { $0 = false } }
}

/// A game with a defect: while the gate is closed its tick does not end, and nothing else of its loop goes on.
final class StuckRoom: RoomLogic {
  private let gate: Gate

  private init(_ gate: Gate) { self.gate = gate }

  static func kind(_ gate: Gate) throws -> RoomKind {
    RoomKind("stuck", schema: try TestRoom.schema()) { StuckRoom(gate) }
  }

  func tick(_ room: Room) {
    while gate.isClosed { pause(milliseconds: 5) }
  }
}
