import EventLoop
import RoomEngine
import WireFormat

/// Which loop each room lives on. Shared by all loops; touched when rooms open and close and when someone joins, never
/// in a tick.
final class RoomDirectory: Sendable {
  /// Where a join has to go.
  enum Location: Equatable {
    case loop(Int)
    case refused(JoinRefusal, String)
  }

  private struct Entry {
    let kind: String
    let loop: Int
    /// Connections on their way to it.
    var claims = 0
    /// Whether it lives on its loop by now.
    var isOpen = false
    /// Which room of all that were opened it is.
    var number: UInt64 = 0
  }

  private struct State {
    var rooms: [String: Entry] = [:]
    var opened: UInt64 = 0
    var roomsOfLoop: [Int]
    var opensRooms = true

    mutating func removeIfUnused(_ room: String) {
      guard let entry = rooms[room], !entry.isOpen, entry.claims == 0 else { return }
      rooms[room] = nil
      roomsOfLoop[entry.loop] -= 1
    }
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

  /// The loop of a room; a room that does not exist yet is given to the loop with the fewest. A loop in the answer is a
  /// claim, which ``abandon(_:)`` gives up: it keeps the room's place while the connection is on its way, and no
  /// longer.
  func locate(_ join: Join, isShortOfMemory: Bool = false) -> Location {
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
        if room.kind == join.roomKind {
          state.rooms[join.room]?.claims += 1
          return .loop(room.loop)
        }
        return .refused(.roomKindMismatch, "the room \"\(join.room)\" is of kind \"\(room.kind)\"")
      }
      guard state.opensRooms else {
        return .refused(.draining, "the server is shutting down: no further rooms are opened")
      }
      guard !isShortOfMemory else {
        return .refused(.overBudget, "the server is short of memory for another room: try again later")
      }
      guard state.rooms.count < mostRooms else {
        return .refused(.roomLimit, "all \(mostRooms) rooms are open")
      }
      let loop = state.roomsOfLoop.indices.min { state.roomsOfLoop[$0] < state.roomsOfLoop[$1] } ?? 0
      state.rooms[join.room] = Entry(kind: join.roomKind, loop: loop, claims: 1)
      state.roomsOfLoop[loop] += 1
      return .loop(loop)
    }
  }

  /// From here on only rooms that are there, or that somebody is on the way to, can be joined.
  func closeToNewRooms() {
    state.withLock { $0.opensRooms = false }
  }

  /// The room lives on its loop now.
  func opened(_ room: String) {
    state.withLock { state in
      state.opened += 1
      state.rooms[room]?.isOpen = true
      state.rooms[room]?.number = state.opened
    }
  }

  /// A room that lives on a loop, told from an earlier or later one of its name.
  struct OpenRoom: Equatable {
    let name: String
    let kind: String
    let loop: Int
    fileprivate let number: UInt64
  }

  /// The room that was opened last of those that are open.
  var newest: OpenRoom? {
    state.withLock { state in
      state.rooms.filter { $0.value.isOpen }.max { $0.value.number < $1.value.number }
        .map { OpenRoom(name: $0.key, kind: $0.value.kind, loop: $0.value.loop, number: $0.value.number) }
    }
  }

  func isOpen(_ room: OpenRoom) -> Bool {
    state.withLock { state in
      state.rooms[room.name].map { $0.isOpen && $0.number == room.number } ?? false
    }
  }

  /// A claim of ``locate(_:)`` is used or will not be.
  func abandon(_ room: String) {
    state.withLock { state in
      state.rooms[room]?.claims -= 1
      state.removeIfUnused(room)
    }
  }

  /// The room has ended; those who are on their way open it again.
  func close(_ room: String) {
    state.withLock { state in
      state.rooms[room]?.isOpen = false
      state.removeIfUnused(room)
    }
  }

  /// Whether no further room can be opened: empty ones should make way.
  var isFull: Bool { count >= mostRooms }

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
