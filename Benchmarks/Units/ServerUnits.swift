import EventLoop
import RoomEngine

/// A frame goes to every member of a room, in all its costs: the tick that makes it, the look at each member, the write.
/// A unit is one frame for one member.
package struct DeliveredFrames: MeasuredUnit {
  private let room: ServedRoom
  private let frameBytes: Int

  /// - Parameter bytes: of the frame's one event.
  package init(members: Int, bytes: Int) throws {
    let kind = RoomKind(
      ServedRoom.kind, schema: try Walking.schema(capacity: 1), capacity: members, limits: ServedRoom.limits()
    ) { Announcer(bytes) }
    room = try ServedRoom(kind, members: members)
    frameBytes = bytes + 13
  }

  package func run(rounds: Int, _ meter: Meter) throws -> Int {
    let before = room.received
    for round in 0..<rounds {
      room.tick(meter)
      // Long before a socket's buffer is full.
      if round % 16 == 15 { room.drain() }
    }
    room.drain()
    let (count, bytes) = (rounds * room.members, room.received - before)
    guard abs(bytes / count - frameBytes) <= 2 else {
      throw UnitFailure("\(bytes) bytes for \(count) frames of about \(frameBytes)")
    }
    return count
  }
}

/// What a frame costs for one member more, apart from the tick that makes it, is the difference between a small and a
/// large room. A unit is one frame for one member.
package struct FramesByMembers: MeasuredUnit {
  private let ticks: Int
  private let bytes: Int

  package init(ticks: Int, bytes: Int) {
    self.ticks = ticks
    self.bytes = bytes
  }

  /// - Parameter rounds: members of the room.
  package func run(rounds: Int, _ meter: Meter) throws -> Int {
    try DeliveredFrames(members: rounds, bytes: bytes).run(rounds: ticks, meter)
  }
}

/// Raises one event a tick, so that each frame has the same size and nobody has to send anything.
private final class Announcer: RoomLogic {
  private let payload: [UInt8]

  init(_ bytes: Int) {
    payload = Array(repeating: 7, count: bytes)
  }

  func tick(_ room: Room) {
    room.raise(16, payload, reliably: false)
  }
}

/// Members who all walk: each sends an input a tick, and gets a frame with all of them and the acknowledgement of its
/// own. A unit is one member in one tick: all that it costs the server's own code. Over TCP, as they are read at ticks.
package struct WalkingMembers: MeasuredUnit {
  private let room: ServedRoom

  package init(members: Int) throws {
    room = try ServedRoom(ServedRoom.relay(capacity: members), members: members, wire: .loopback)
  }

  package func run(rounds: Int, _ meter: Meter) throws -> Int {
    for round in 1...rounds {
      for member in 0..<room.members {
        try room.send(Walking.input(sequence: round, entity: member, step: round), from: member)
      }
      room.turn(meter)
      room.tick(meter)
      room.drain()
    }
    guard rounds < 5 || room.membersReadAtTicks == room.members else {
      throw UnitFailure("\(room.membersReadAtTicks) of \(room.members) members are read at ticks")
    }
    return rounds * room.members
  }
}

/// Members send so many inputs between two ticks, each read by itself, as it comes: what one more of them costs to read, check, keep
/// and apply is the difference between few and many. A unit is one input.
package struct Inputs: MeasuredUnit {
  private let room: ServedRoom
  private static let ticks = 20

  package init(members: Int) throws {
    room = try ServedRoom(ServedRoom.relay(capacity: members), members: members)
  }

  /// - Parameter rounds: inputs of each member in a tick.
  package func run(rounds: Int, _ meter: Meter) throws -> Int {
    for tick in 0..<Self.ticks {
      for round in 1...rounds {
        for member in 0..<room.members {
          let sequence = tick * rounds + round
          // The same end of each tick, however many inputs lead there.
          try room.send(Walking.input(sequence: sequence, entity: member, step: tick + 1), from: member)
        }
        room.turn(meter)
      }
      room.tick(meter)
      room.drain()
    }
    return Self.ticks * rounds * room.members
  }
}

/// A client connects, says Hello and joins: a unit is one who gets there.
package struct Joins: MeasuredUnit {
  private let room: ServedRoom

  /// - Parameter members: who are there already.
  package init(members: Int) throws {
    room = try ServedRoom(ServedRoom.relay(capacity: members + 1), members: members)
  }

  package func run(rounds: Int, _ meter: Meter) throws -> Int {
    for _ in 0..<rounds {
      try room.join(meter)
      room.leaveLast()
      room.drain()
    }
    return rounds
  }
}
