import EventLoop

/// The one background thread that serves all clients of the process; started by the first, never stopped.
enum SharedLoop {
  private static let started = Result { try LoopThread.start(name: "tickclient") { _ in () }.thread }

  /// The way onto the thread.
  static func mailbox() throws -> Mailbox<Loop.Work> {
    do {
      return try started.get().mailbox
    } catch {
      throw ClientError.unreachable("the client's thread could not start: \(error)")
    }
  }

  /// Microseconds of the local monotonic clock.
  static func now() -> UInt64 { Loop.clock().nanoseconds / 1_000 }
}
