import Glibc
import Synchronization
import TickClient

/// A client that treats its room as no game should: for `scripts/immunity/sdk_memory.py`, which watches its memory.
///
///     SleepyClient PORT ROOM never|behind|reads
///
/// It joins an arena room and reads its notices never, always some late, or at once. Lines of its input are orders:
/// `flood` raises events as fast as it can, `calm` stops that, `tell` prints what came to pass so far, `end` ends.
@main
struct SleepyClient {
  private final class Counts: Sendable {
    let notices = Atomic<Int>(0)
    let frames = Atomic<Int>(0)
    let raised = Atomic<Int>(0)
    let refused = Atomic<Int>(0)
    let floods = Atomic<Bool>(false)
  }

  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 4, let port = Int(arguments[1]) else { return print("usage: SleepyClient PORT ROOM MODE") }
    let client = try await TickClient.connect(host: "127.0.0.1", port: port)
    let room = try await client.join(arguments[2], kind: "arena")
    let counts = Counts()
    say("joined")
    switch arguments[3] {
    case "never": break
    case "behind": Task { await read(room, counts, each: .milliseconds(1)) }
    default: Task { await read(room, counts, each: nil) }
    }
    Task { await raise(room, counts) }
    await Task.detached { obey(room, counts) }.value
    client.close()
  }

  /// A pipe gets lines only when they are pushed.
  private static func say(_ line: String) {
    print(line)
    fflush(nil)
  }

  private static func read(_ room: Room, _ counts: Counts, each pause: Duration?) async {
    for await notice in room.events {
      counts.notices.add(1, ordering: .relaxed)
      if case .frame = notice { counts.frames.add(1, ordering: .relaxed) }
      if let pause { try? await Task.sleep(for: pause) }
    }
  }

  private static func raise(_ room: Room, _ counts: Counts) async {
    let payload = [UInt8](repeating: 7, count: 1_000)
    while true {
      guard counts.floods.load(ordering: .relaxed) else {
        try? await Task.sleep(for: .milliseconds(10))
        continue
      }
      do {
        try room.raise(40_000, to: .others, payload)
        counts.raised.add(1, ordering: .relaxed)
      } catch {
        counts.refused.add(1, ordering: .relaxed)
        try? await Task.sleep(for: .milliseconds(1))
      }
    }
  }

  /// On a thread that may sleep in a read.
  private static func obey(_ room: Room, _ counts: Counts) {
    while let line = readLine() {
      switch line {
      case "flood": counts.floods.store(true, ordering: .relaxed)
      case "calm": counts.floods.store(false, ordering: .relaxed)
      case "tell":
        let tick = room.tick.map { "\($0)" } ?? "none"
        say(
          "notices=\(counts.notices.load(ordering: .relaxed)) frames=\(counts.frames.load(ordering: .relaxed)) "
            + "raised=\(counts.raised.load(ordering: .relaxed)) refused=\(counts.refused.load(ordering: .relaxed)) "
            + "tick=\(tick)")
      default: return
      }
    }
  }
}
