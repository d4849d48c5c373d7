import EventLoop
import Glibc
public import Logging

extension LoggingSystem {
  /// Sends all logs of the process to standard error, as ``Server/main(rooms:)`` does: a record is one line, written by a
  /// thread of its own, so that no loop waits for the reader of the log. What does not fit into 256 KiB is dropped, counted
  /// and told. ``Server/waitUntilStopped()`` waits up to a second for the last lines.
  ///
  /// Once a process, before the first logger is made. Whoever bootstraps another handler should know that loops call it:
  /// while it waits, their rooms stand still.
  ///
  /// - Throws: when the system gives no thread.
  public static func bootstrapTickServer(_ configuration: ServerConfiguration) throws {
    let (level, format) = (configuration.logLevel, configuration.logFormat)
    // A reader that is gone, and a file at the limit of its size, are errors of the stream, not the end of the process.
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    fillStandardDescriptors()
    let writer = try LogWriter(
      notice: { LogRecord.lost($0).line(format) }, write: { StandardStream.error.take($0) })
    LogWriter.ofProcess.withLock { $0 = writer }
    bootstrap { label in LineLogHandler(label: label, level: level, format: format) { writer.append($0) } }
  }
}

extension LogRecord {
  /// Tells that lines are missing here.
  static func lost(_ count: UInt64) -> LogRecord {
    LogRecord(
      time: WallTime.now().text, level: Logger.Level.warning.rawValue, label: "log", message: "log records dropped",
      error: nil, metadata: ["count": "\(count)"])
  }
}

extension LogWriter {
  /// Waits for the last lines of this process, but not for long.
  static func flushProcess() {
    _ = ofProcess.withLock { $0 }?.flush(withinMilliseconds: 1000)
  }
}
