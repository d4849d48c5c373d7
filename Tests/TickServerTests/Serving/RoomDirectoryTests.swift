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
}
