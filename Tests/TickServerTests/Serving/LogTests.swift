import Glibc
import Logging
import RoomEngine
import Synchronization
import Testing
import WireFormat

@testable import TickServer

/// The log of a server whose time moves by hand.
private final class LogLines: Sendable {
  private let texts = Mutex<[String]>([])

  func logger(_ level: Logger.Level) -> Logger {
    Logger(label: "t") { label in
      LineLogHandler(label: label, level: level, format: .text) { [self] text in texts.withLock { $0.append(text) } }
    }
  }

  func all(_ message: String) -> [String] { texts.withLock { $0.filter { $0.contains(" t: \(message) ") } } }
}

extension ServingTests {
  @Suite("What the log says of connections")
  struct LogOfConnections {
    private func withServer(
      _ level: Logger.Level, members: Int, body: (EmbeddedServer, inout [Int32], LogLines) throws -> Void
    ) throws {
      let lines = LogLines()
      let server = try EmbeddedServer(
        ServerConfiguration(rooms: [try TestRoom.kind()]), logger: lines.logger(level))
      var peers = try (0..<members).map { _ in try server.connect(to: 0) }
      defer {
        for peer in peers { close(peer) }
        _ = server.stop()
      }
      for peer in peers { say(Say.hello() + Say.join("r"), on: peer) }
      server.turn()
      server.advance(byNanoseconds: 40_000_000)
      try body(server, &peers, lines)
    }

    private func say(_ bytes: [UInt8], on peer: Int32) {
      #expect(write(peer, bytes, bytes.count) == bytes.count)
    }

    @Test("at info the end of a member names session, player, room and kind; who never joined is not there")
    func identity() throws {
      try withServer(.info, members: 1) { server, peers, lines in
        peers.append(try server.connect(to: 0))
        for peer in peers { say([5, 0x7F, 1, 2, 3, 4], on: peer) }
        server.turn()
        let ends = lines.all("connection ended")
        #expect(ends.count == 1, "\(ends)")
        for word in ["reason=", "text=", "peer=", "session=1", "player=0", "room=r", "kind=test", " info "] {
          #expect(ends.first?.contains(word) == true, "\(word) in \(ends)")
        }
      }
    }

    @Test("at debug accepting, joining and refusing are there as well")
    func debug() throws {
      try withServer(.debug, members: 1) { server, peers, lines in
        #expect(lines.all("connection accepted").count == 1)
        #expect(lines.all("joined").first?.contains("player=0") == true)
        peers.append(try server.connect(to: 0))
        say(Say.hello() + Say.join("x", kind: "none"), on: peers[1])
        server.turn()
        #expect(lines.all("join refused").first?.contains("wanted=x") == true)
      }
    }

    @Test("of members that end in a mass the first ten get records, the others one, with count, rooms and names")
    func mass() throws {
      try withServer(.info, members: 8) { server, peers, lines in
        // More than a room's tick admits.
        for _ in 0..<3 {
          let more = try (0..<8).map { _ in try server.connect(to: 0) }
          for peer in more { say(Say.hello() + Say.join("r\(peers.count)"), on: peer) }
          peers += more
          server.turn()
          server.advance(byNanoseconds: 40_000_000)
        }
        for peer in peers { say([5, 0x7F, 1, 2, 3, 4], on: peer) }
        server.turn()
        #expect(lines.all("connection ended").count == ServerLoop.endsLoggedPerSecond)
        #expect(lines.all("connections ended").isEmpty)
        server.advance(byNanoseconds: 1_100_000_000)
        let sums = lines.all("connections ended")
        #expect(sums.count == 1, "\(sums)")
        for word in ["count=22", "first=[", "session ", "player ", "rooms={", "reason="] {
          #expect(sums.first?.contains(word) == true, "\(word) in \(sums)")
        }
      }
    }

    @Test("the ledger line has the sums of the rooms that are open")
    func ledger() throws {
      try withServer(.info, members: 2) { server, peers, lines in
        say(Say.input(1, avatar: 0, x: 100), on: peers[0])
        server.turn()
        server.advance(byNanoseconds: 40_000_000)
        // Pings keep the two alive; the minute is up.
        for _ in 0..<13 {
          for peer in peers { say(Say.ping(1), on: peer) }
          server.turn()
          server.advance(byNanoseconds: 5_000_000_000)
        }
        let line = try #require(lines.all("ledger").first)
        #expect(line.contains(" inputs=1 "), "\(line)")
        #expect(!line.contains(" frames=0 "), "\(line)")
        #expect(!line.contains(" keyframes=0 "), "\(line)")
      }
    }
  }
}
