import Glibc
import RoomEngine
import Testing

@testable import TickServer

extension ServingTests {
  @Suite("A turn in which many connections are read")
  struct BusyTurn {
    /// The time moves within a turn, and the timer cannot fire before its end: whatever ticks, ticks between reads.
    @Test("is interrupted by a tick that comes due", arguments: [(isDue: true, isRun: true), (false, false)])
    func interrupted(isDue: Bool, isRun: Bool) throws {
      let server = try EmbeddedServer(ServerConfiguration(rooms: [try TestRoom.kind()]))
      var peers: [Int32] = []
      defer {
        peers.forEach { close($0) }
        let end = server.stop()
        #expect(end.connections == 0)
      }
      let newcomer = try server.connect(to: 0)
      peers.append(newcomer)
      say(Say.hello() + Say.join("r"), on: newcomer)
      server.turn()
      // Welcomed; its seat waits for the room's next tick.
      #expect(received(newcomer) > 0)
      for _ in 0..<20 {
        let peer = try server.connect(to: 0)
        peers.append(peer)
        say(Say.hello(), on: peer)
      }
      if isDue { server.elapse(nanoseconds: 40_000_000) }
      server.turn()
      #expect((received(newcomer) > 0) == isRun, "Joined comes with the tick")
      for peer in peers.dropFirst() { #expect(received(peer) > 0, "all are read in the same turn") }
    }

    private func say(_ bytes: [UInt8], on peer: Int32) {
      #expect(write(peer, bytes, bytes.count) == bytes.count)
    }

    /// Bytes that have come since the last call.
    private func received(_ peer: Int32) -> Int {
      var bytes = [UInt8](repeating: 0, count: 65_536)
      return max(0, read(peer, &bytes, bytes.count))
    }
  }
}
