import RoomEngine
import Testing
import WireFormat

@testable import TickServer

@Suite("Where rooms live")
struct RoomDirectoryTests {
  private let directory: RoomDirectory

  init() throws {
    directory = RoomDirectory(kinds: [try TestRoom.kind()], loops: 2, mostRooms: 2)
  }

  private func locate(_ room: String) -> RoomDirectory.Location {
    directory.locate(Join(room: room, roomKind: "test"))
  }

  @Test("new rooms go to the loop with the fewest, and stay there")
  func spread() {
    #expect(locate("a") == .loop(0))
    #expect(locate("b") == .loop(1))
    #expect(locate("a") == .loop(0))
    #expect(locate("c") == .refused(.roomLimit, "all 2 rooms are open"))
  }

  @Test("a room that nobody reached gives its place back")
  func vanished() {
    for number in 0..<10 {
      #expect(locate("room-\(number)") == .loop(0))
      directory.abandon("room-\(number)")
      #expect(directory.count == 0)
    }
  }

  @Test("a room keeps its loop while one is on the way, also when it closes meanwhile")
  func claimed() {
    _ = locate("a")
    directory.opened("a")
    directory.abandon("a")
    #expect(directory.count == 1)
    #expect(locate("a") == .loop(0))
    directory.close("a")
    #expect(locate("b") == .loop(1))
    #expect(locate("a") == .loop(0))
    directory.abandon("a")
    directory.abandon("a")
    #expect(directory.count == 1)
  }

  // MARK: Making way

  private func address(_ number: UInt64) -> AddressKey { AddressKey(ipv6: number, 0) }

  private func full(_ most: Int, _ limit: RoomLimit = .unlimited) throws -> RoomDirectory {
    RoomDirectory(kinds: [try TestRoom.kind()], loops: 2, mostRooms: most, perAddress: limit)
  }

  private func open(_ room: String, by opener: UInt64, _ occupancy: Room.Occupancy, in directory: RoomDirectory) {
    _ = directory.locate(Join(room: room, roomKind: "test"), for: address(opener))
    directory.opened(room)
    directory.abandon(room)
    directory.note(room, occupancy)
  }

  @Test("when all rooms are open an empty one makes way, then one of the address with most absent ones")
  func makesWay() throws {
    let directory = try full(5)
    open("live", by: 1, .occupied, in: directory)
    open("only", by: 2, .absent, in: directory)
    open("more-1", by: 3, .absent, in: directory)
    open("more-2", by: 3, .absent, in: directory)
    open("empty", by: 1, .empty, in: directory)
    for (room, other) in [("new-1", ["empty"]), ("new-2", ["more-1", "more-2"])] {
      guard case .loop = directory.locate(Join(room: room, roomKind: "test"), for: address(9)) else {
        Issue.record("\(room) is refused")
        return
      }
      guard case .insteadOf(let yielding) = directory.opening(of: room) else {
        Issue.record("nobody makes way for \(room)")
        return
      }
      #expect(other.contains(yielding))
      directory.close(yielding)
      directory.opened(room)
      directory.abandon(room)
      #expect(directory.count == 5)
    }
    // Each address has one such room at most now: it stays.
    let answer = directory.locate(Join(room: "new-3", roomKind: "test"), for: address(9))
    #expect(answer == .refused(.roomLimit, "all 5 rooms are open"))
  }

  @Test("a room to which somebody comes back meanwhile stays, and the new one does not open")
  func revived() throws {
    let directory = try full(1)
    open("old", by: 1, .empty, in: directory)
    _ = directory.locate(Join(room: "new", roomKind: "test"), for: address(2))
    #expect(directory.opening(of: "new") == .insteadOf("old"))
    _ = directory.locate(Join(room: "old", roomKind: "test"), for: address(1))
    #expect(directory.opening(of: "new") == .refused)
    directory.abandon("new")
    directory.abandon("old")
    #expect(directory.count == 1)
    directory.close("old")
    #expect(directory.count == 0 && directory.isClear)
  }

  @Test("a newcomer who vanishes on the way leaves the room that was to make way as it was")
  func abandoned() throws {
    let directory = try full(1)
    open("old", by: 1, .empty, in: directory)
    _ = directory.locate(Join(room: "new", roomKind: "test"), for: address(2))
    directory.abandon("new")
    _ = directory.locate(Join(room: "next", roomKind: "test"), for: address(2))
    #expect(directory.opening(of: "next") == .insteadOf("old"))
    directory.close("old")
    directory.opened("next")
    directory.abandon("next")
    directory.close("next")
    #expect(directory.isClear && directory.count == 0)
  }

  @Test("whatever some addresses hold, one that holds none can open a room", arguments: [1, 2, 5, 20, 99])
  func neverAllRooms(addresses: UInt64) throws {
    let directory = try full(100, .auto)
    var opened = 0
    var isStuck = false
    while !isStuck {
      isStuck = true
      for number in 0..<addresses {
        let answer = directory.locate(Join(room: "r\(opened)", roomKind: "test"), for: address(number))
        guard case .loop = answer else { continue }
        directory.opened("r\(opened)")
        directory.abandon("r\(opened)")
        (opened, isStuck) = (opened + 1, false)
      }
    }
    #expect(opened >= 75, "one address alone has three quarters")
    #expect(opened < 100)
    if addresses <= 20 { #expect(100 - opened >= min(25, 100 / (Int(addresses) / 4 + 1))) }
    let answer = directory.locate(Join(room: "new", roomKind: "test"), for: address(1000))
    guard case .loop = answer else {
      Issue.record("refused with \(100 - opened) rooms free: \(answer)")
      return
    }
  }

  @Test("a number of rooms for each address, and the refusal names the setting")
  func atMost() throws {
    let directory = try full(10, .atMost(2))
    open("a", by: 1, .occupied, in: directory)
    open("b", by: 1, .occupied, in: directory)
    let answer = directory.locate(Join(room: "c", roomKind: "test"), for: address(1))
    #expect(answer == .refused(.roomLimit, "this address holds 2 rooms, maxRoomsPerAddress is 2"))
    #expect(directory.locate(Join(room: "c", roomKind: "test"), for: address(2)) == .loop(0))
    directory.close("a")
    #expect(directory.locate(Join(room: "d", roomKind: "test"), for: address(1)) == .loop(0))
  }
}
