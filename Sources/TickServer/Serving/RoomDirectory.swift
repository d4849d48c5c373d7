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

  fileprivate struct Entry {
    let kind: String
    let loop: Int
    /// Who opened it: whom it is charged to.
    let opener: AddressKey
    /// Connections on their way to it.
    var claims = 0
    /// Whether it lives on its loop by now.
    var isOpen = false
    /// Which room of all that were opened it is.
    var number: UInt64 = 0
    var occupancy = Room.Occupancy.occupied
    /// The room that it takes the place of, when there was no other; that one closes when this one opens.
    var insteadOf: String?
    /// It is to make way for another one.
    var isYielding = false
  }

  fileprivate struct State {
    var rooms: [String: Entry] = [:]
    var opened: UInt64 = 0
    var roomsOfLoop: [Int]
    var opensRooms = true
    /// By who opened them.
    var byOpener = AddressCounts()
    /// Rooms where nobody is and that may make way: without seats, and with seats of absent players alone.
    var empty: Set<String> = []
    var absent: Set<String> = []
    var absentByOpener = AddressCounts()
    var yielding = 0
  }

  private let kinds: [String: RoomKind]
  private let mostRooms: Int
  private let allowance: RoomAllowance
  private let state: Locked<State>

  init(kinds: [RoomKind], loops: Int, mostRooms: Int, perAddress: RoomLimit = .auto) {
    self.kinds = Dictionary(kinds.map { ($0.name, $0) }) { first, _ in first }
    self.mostRooms = mostRooms
    allowance = RoomAllowance(perAddress, mostRooms: mostRooms)
    state = Locked(State(roomsOfLoop: Array(repeating: 0, count: loops)))
  }

  func kind(named name: String) -> RoomKind? { kinds[name] }

  /// The loop of a room; a room that does not exist yet is given to the loop with the fewest. A loop in the answer is a
  /// claim, which ``abandon(_:)`` gives up: it keeps the room's place while the connection is on its way, and no
  /// longer.
  ///
  /// When all rooms are open, one where nobody is makes way: one without seats, else one of the address that has opened most
  /// of those whose players are all away. The newcomer goes to the loop of that one.
  func locate(_ join: Join, for address: AddressKey = .unknown, isShortOfMemory: Bool = false) -> Location {
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
          state.change(join.room) { $0.claims += 1 }
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
      let held = state.byOpener[address]
      let free = mostRooms - state.count
      if let refusal = allowance.refusal(held: held, free: free + state.reclaimable) {
        return .refused(.roomLimit, refusal)
      }
      let leastLoaded = state.roomsOfLoop.indices.min { state.roomsOfLoop[$0] < state.roomsOfLoop[$1] } ?? 0
      guard free <= 0 else {
        return .loop(state.add(Entry(kind: join.roomKind, loop: leastLoaded, opener: address), join.room))
      }
      guard let other = state.toYield(), let loop = state.rooms[other]?.loop else {
        return .refused(.roomLimit, "all \(mostRooms) rooms are open")
      }
      state.change(other) { $0.isYielding = true }
      return .loop(state.add(Entry(kind: join.roomKind, loop: loop, opener: address, insteadOf: other), join.room))
    }
  }

  /// From here on only rooms that are there, or that somebody is on the way to, can be joined.
  func closeToNewRooms() {
    state.withLock { $0.opensRooms = false }
  }

  /// What has to be done before a room opens on its loop.
  enum Opening: Equatable {
    case free
    /// This room, on the same loop, closes first; if somebody has come to it meanwhile, the new one can't open.
    case insteadOf(String)
    case refused
  }

  /// How a room that was claimed is to be opened. Called on its loop.
  func opening(of room: String) -> Opening {
    state.withLock { state in
      guard let other = state.rooms[room]?.insteadOf else { return .free }
      return state.rooms[other]?.isYielding == true ? .insteadOf(other) : state.rooms[other] == nil ? .free : .refused
    }
  }

  /// Who is in an open room.
  func note(_ room: String, _ occupancy: Room.Occupancy) {
    state.withLock { $0.change(room) { $0.occupancy = occupancy } }
  }

  /// The room lives on its loop now.
  func opened(_ room: String) {
    state.withLock { state in
      state.opened += 1
      let number = state.opened
      state.change(room) { entry in
        entry.isOpen = true
        entry.occupancy = .occupied
        entry.insteadOf = nil
        entry.number = number
      }
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
    state.withLock { $0.change(room) { $0.claims -= 1 } }
  }

  /// The room has ended; those who are on their way open it again.
  func close(_ room: String) {
    state.withLock { $0.change(room) { $0.isOpen = false } }
  }

  /// Whether nothing is charged to anybody.
  var isClear: Bool {
    state.withLock {
      $0.byOpener.isEmpty && $0.empty.isEmpty && $0.absent.isEmpty && $0.absentByOpener.isEmpty && $0.yielding == 0
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

extension RoomDirectory.State {
  /// Rooms that are open or about to be; one that makes way counts as the one that takes its place.
  fileprivate var count: Int { rooms.count - yielding }

  /// Rooms that could make way: all empty ones, and of those with absent players all but one of each address.
  fileprivate var reclaimable: Int { empty.count + absent.count - absentByOpener.addresses }

  fileprivate mutating func add(_ entry: RoomDirectory.Entry, _ room: String) -> Int {
    rooms[room] = entry
    roomsOfLoop[entry.loop] += 1
    byOpener.charge(entry.opener)
    change(room) { $0.claims += 1 }
    return entry.loop
  }

  /// The room that makes way for another one. Never the only one with absent players that an address has opened: they may
  /// be about to come back.
  fileprivate func toYield() -> String? {
    if let room = empty.first { return room }
    guard absentByOpener.crowded > 0 else { return nil }
    return absent.max { held($0) < held($1) }
  }

  private func held(_ room: String) -> Int { rooms[room].map { absentByOpener[$0.opener] } ?? 0 }

  /// Changes an entry and keeps what is counted of it; one that nobody needs any more is removed.
  fileprivate mutating func change(_ room: String, _ body: (inout RoomDirectory.Entry) -> Void) {
    guard let before = rooms[room] else { return }
    var after = before
    body(&after)
    // Somebody goes there: another one has to make way.
    if after.claims > 0 || after.occupancy == .occupied { after.isYielding = false }
    let isUsed = after.isOpen || after.claims > 0
    uncount(before, room)
    rooms[room] = isUsed ? after : nil
    if isUsed { count(after, room) } else { forget(after) }
  }

  private mutating func forget(_ entry: RoomDirectory.Entry) {
    roomsOfLoop[entry.loop] -= 1
    byOpener.refund(entry.opener)
    // It never opened: the other one stays.
    if let other = entry.insteadOf { change(other) { $0.isYielding = false } }
  }

  private mutating func count(_ entry: RoomDirectory.Entry, _ room: String) {
    if entry.isYielding {
      yielding += 1
    } else if entry.isOpen, entry.claims == 0 {
      switch entry.occupancy {
      case .occupied: break
      case .empty: empty.insert(room)
      case .absent:
        absent.insert(room)
        absentByOpener.charge(entry.opener)
      }
    }
  }

  private mutating func uncount(_ entry: RoomDirectory.Entry, _ room: String) {
    if entry.isYielding { yielding -= 1 }
    empty.remove(room)
    if absent.remove(room) != nil { absentByOpener.refund(entry.opener) }
  }
}
