package import EventLoop
import Glibc
package import Logging
import RoomEngine

/// A whole server on the calling thread, for tests and measurements: its loops are turned by hand, its time moves only by
/// ``advance(byNanoseconds:)``, its clients hold the other ends of socket pairs, or of
/// TCP connections.
///
/// It must be ended by ``stop()``, or its loops leak.
package final class EmbeddedServer {
  private let shared: ServerShared
  private let time: ManualTime
  @exclusivity(unchecked) private var loops: [ServerLoop] = []

  /// - Parameters:
  ///   - configuration: a valid one; it is not checked here, which takes longer than many a test.
  ///   - loops: how many.
  ///   - logger: where to log; nowhere by default.
  /// - Throws: `LoopError` when the system can't give what is needed.
  package init(
    _ configuration: ServerConfiguration, loops count: Int = 1, logger: Logger = EmbeddedServer.silence
  ) throws {
    // A year ahead: the system's timers, armed for this time, never fire by themselves.
    let start = Instant(nanoseconds: Loop.clock().nanoseconds).advanced(byNanoseconds: 31_536_000_000_000_000)
    time = ManualTime(start)
    shared = ServerShared(
      configuration: configuration, memory: LimitedPlan(configuration), loops: count,
      authenticator: try Authenticator(configuration.authentication), logger: logger,
      timeSource: .manual(time))
    for index in 0..<count {
      let loop = try ServerLoop(index: index, loop: Loop(), shared: shared)
      shared.publish(try Mailbox<LoopMessage>(loop: loop.loop) { message in loop.handle(message) }, of: index)
      loops.append(loop)
    }
  }

  package static let silence: Logger = {
    var logger = Logger(label: "embedded") { _ in SwiftLogNoOpLogHandler() }
    logger.logLevel = .critical
    return logger
  }()

  /// A new connection on a loop.
  ///
  /// - Parameter wire: what is between the two ends.
  /// - Returns: the client's end, non-blocking; the caller closes it.
  package func connect(to loop: Int, over wire: LocalWire = .socketPair) throws -> Int32 {
    let (client, server) = try wire.ends()
    do throws(LoopError) {
      let serverLoop = loops[loop % loops.count]
      serverLoop.accept(try EventLoop.Stream(adopting: server, loop: serverLoop.loop))
    } catch {
      close(client)
      throw error
    }
    return client
  }

  /// Members who are read at ticks, of all rooms.
  package var membersReadAtTicks: Int { loops.reduce(0) { $0 + $1.membersReadAtTicks } }

  /// Lets every loop do once what it can do now; a loop that has finished ends.
  package func turn() {
    for serverLoop in loops where !serverLoop.loop.hasEnded {
      if serverLoop.isFinished { serverLoop.loop.run() } else { serverLoop.loop.turn() }
    }
  }

  /// Moves the time alone, as a turn that takes long does.
  package func elapse(nanoseconds: UInt64) {
    time.advance(byNanoseconds: nanoseconds)
  }

  /// Moves the time, and does what is due by then: ticks, each at most once, and deadlines.
  ///
  /// - Parameter sweeps: whether deadlines are looked at, which a running server does four times a second.
  package func advance(byNanoseconds nanoseconds: UInt64, sweeps: Bool = true) {
    elapse(nanoseconds: nanoseconds)
    for loop in loops where !loop.loop.isStopping {
      loop.runDueTicks()
      if sweeps { loop.sweep() }
    }
  }

  /// Says goodbye to everyone, as on a signal; connections in the middle of a message keep their time.
  package func drain() {
    shared.handle(.asked(.atOnce, now: shared.timeSource.now), by: "a test")
  }

  /// Begins a lame duck, as on a signal.
  package func stop(withinNanoseconds nanoseconds: UInt64) {
    shared.handle(.asked(.within(nanoseconds: nanoseconds), now: shared.timeSource.now), by: "a test")
  }

  /// Ends everything.
  ///
  /// - Returns: what each loop did, one report for each that let go of everything; and what the server still counts as
  ///   open, which is nothing unless it leaks.
  package func stop() -> (reports: [LoopReport], connections: Int, rooms: Int, sessions: Int) {
    for serverLoop in loops { serverLoop.finish() }
    turn()
    loops = []
    return (shared.reports, shared.admission.open, shared.rooms.count, shared.sessions.count)
  }
}
