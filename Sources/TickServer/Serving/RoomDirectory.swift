import EventLoop
import RoomEngine
import WireFormat

/// Which loop each room lives on. Shared by all loops; touched when rooms open and close and when someone joins, never in a tick.
final class RoomDirectory: Sendable {
  /// Where a join has to go.
  enum Location: Equatable {
    case loop(Int)
    case refused(JoinRefusal, String)
  }

  private struct State {
    var rooms: [String: (kind: String, loop: Int)] = [:]
    var roomsOfLoop: [Int]
  }

  private let kinds: [String: RoomKind]
  private let mostRooms: Int
  private let state: Locked<State>

  init(kinds: [RoomKind], loops: Int, mostRooms: Int) {
    self.kinds = Dictionary(kinds.map { ($0.name, $0) }) { first, _ in first }
    self.mostRooms = mostRooms
    state = Locked(State(roomsOfLoop: Array(repeating: 0, count: loops)))
  }

  func kind(named name: String) -> RoomKind? { kinds[name] }

  /// The loop of a room; a room that does not exist yet is given to the loop with the fewest.
  func locate(_ join: Join) -> Location {
    guard RoomDirectory.isValidName(join.room) else {
      return .refused(
        .invalidRoomName, "the room name \"\(join.room)\" is not 1 to 64 letters, digits, or any of - _ . : /")
    }
    guard kinds[join.roomKind] != nil else {
      return .refused(
        .unknownRoomKind, "no room kind \"\(join.roomKind)\": there are \(kinds.keys.sorted().joined(separator: ", "))")
    }
    return state.withLock { state in
      if let room = state.rooms[join.room] {
        if room.kind == join.roomKind { return .loop(room.loop) }
        return .refused(.roomKindMismatch, "the room \"\(join.room)\" is of kind \"\(room.kind)\"")
      }
      guard state.rooms.count < mostRooms else {
        return .refused(.roomLimit, "all \(mostRooms) rooms are open")
      }
      let loop = state.roomsOfLoop.indices.min { state.roomsOfLoop[$0] < state.roomsOfLoop[$1] } ?? 0
      state.rooms[join.room] = (join.roomKind, loop)
      state.roomsOfLoop[loop] += 1
      return .loop(loop)
    }
  }

  func close(_ room: String) {
    state.withLock { state in
      guard let closed = state.rooms.removeValue(forKey: room) else { return }
      state.roomsOfLoop[closed.loop] -= 1
    }
  }

  var count: Int { state.withLock { $0.rooms.count } }

  private static func isValidName(_ name: String) -> Bool {
    WireLimits.nameBytes.contains(name.utf8.count)
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"):
          true
        default: "-_.:/".utf8.contains(byte)
        }
      }
  }
}
