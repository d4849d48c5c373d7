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
      defer { end(server, peers) }
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

    /// Each with one newcomer who waits for the tick that is due: does the tick run before the turn goes on?
    enum Work: String, CaseIterable {
      case nothing, aMessage, sixteenMessages, aHandshake, anAccept, anEnd
    }

    @Test("looks at the clock after long work, and after 16 messages of members", arguments: Work.allCases)
    func looks(after work: Work) throws {
      let server = try EmbeddedServer(ServerConfiguration(rooms: [try TestRoom.kind()]))
      var peers: [Int32] = []
      defer { end(server, peers) }
      for index in 0..<17 {
        let peer = try server.connect(to: 0)
        peers.append(peer)
        say(Say.hello() + (index < 16 ? Say.join("r") : []), on: peer)
      }
      server.turn()
      server.advance(byNanoseconds: 40_000_000)
      let newcomer = peers[16]
      for peer in peers { #expect(received(peer) > 0, "a seat for each but the last") }
      say(Say.join("r"), on: newcomer)
      server.turn()
      #expect(received(newcomer) == 0)
      let silent = try server.connect(to: 0)
      peers.append(silent)

      server.elapse(nanoseconds: 40_000_000)
      switch work {
      case .nothing: break
      case .aMessage: say(Say.ping(1), on: peers[0])
      case .sixteenMessages: for peer in peers.prefix(16) { say(Say.ping(1), on: peer) }
      case .aHandshake: say(Say.hello(), on: silent)
      case .anAccept: peers.append(try server.connect(to: 0))
      case .anEnd:
        close(silent)
        peers.removeLast()
      }
      if work != .anAccept { server.turn() }
      #expect((received(newcomer) > 0) == ![.nothing, .aMessage].contains(work))
    }

    private func end(_ server: EmbeddedServer, _ peers: [Int32]) {
      peers.forEach { close($0) }
      let end = server.stop()
      #expect(end.connections == 0)
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
