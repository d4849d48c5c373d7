import Foundation
import RoomEngine
import Testing
import WireFormat

@testable import TickServer

extension ServingTests {
  @Suite("With the client that was written from the document alone")
  struct PythonClient {
    /// python3 in the search path, or nil.
    private static let python: String? =
      (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(separator: ":").map { "\($0)/python3" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }

    private struct Report: Decodable {
      let violation: String?
      /// State hashes by tick.
      let hashes: [String: String]
    }

    @Test(
      "it plays, loses its connection, comes back, and sees what others see",
      .enabled(if: python != nil, "python3 is not in the search path"), arguments: [1, 2])
    func play(loops: Int) throws {
      let python = try #require(Self.python)
      let script = URL(filePath: #filePath).appending(path: "../../../Vectors/client.py").standardized.path
      try withServer(try TestRoom.kind(traffic: .clock), loops: loops) { test in
        let clients = try (0..<2).map { _ in try test.member() }
        let avatars = try clients.map { try $0.avatar() }
        let guest = try ChildProcess([
          python, script, "--port", "\(test.server.port)", "--room", "r", "--room-kind", "test", "--seconds", "3",
          "--resume-after", "1", "--send-events", "5", "--json",
        ])
        let deadline = monotonicSeconds() + 4.5
        var x: Int32 = 0
        while monotonicSeconds() < deadline {
          x += 1
          for (client, avatar) in zip(clients, avatars) {
            client.move(avatar, to: x)
            try client.follow(for: 0.02)
          }
        }
        // It starts slower under a sanitizer; until it has ended, the others must be read and heard.
        let end = try guest.exit(within: 30) { for client in clients { try client.follow(for: 0.01) } }
        #expect(end.code == 0, "\(end.text)")
        let report = try JSONDecoder().decode(Report.self, from: Data(end.text.utf8))
        #expect(report.violation == nil)
        for client in clients {
          let seen = try #require(client.mirror)
          #expect(seen.keyframes == 1)
          let common = report.hashes.filter { seen.hashes[Tick(UInt32($0.key) ?? 0)] != nil }
          // It keeps the last 64; the very last tick is among them.
          #expect(common.count >= 20, "\(report.hashes.count) hashes, \(common.count) of ticks in common")
          #expect(common.keys.contains { Int($0) == report.hashes.keys.compactMap { Int($0) }.max() })
          for (tick, hash) in common {
            #expect(seen.hashes[Tick(UInt32(tick) ?? 0)] == UInt64(hash, radix: 16), "tick \(tick)")
          }
        }
        #expect(Set(clients.map { $0.mirror?.lastEvent }).count == 1)
      }
    }
  }
}
