package import Logging

/// Writes each record as exactly one line, as text or as JSON.
package struct LineLogHandler: LogHandler {
  package var logLevel: Logger.Level
  package var metadata: Logger.Metadata = [:]
  package var metadataProvider: Logger.MetadataProvider?

  private let label: String
  private let format: LogFormat
  private let now: @Sendable () -> WallTime
  private let write: @Sendable (String) -> Void

  /// - Parameters:
  ///   - now: the time of a record.
  ///   - write: takes a record with its line end; called from any thread, so it should not wait.
  package init(
    label: String, level: Logger.Level, format: LogFormat,
    now: @escaping @Sendable () -> WallTime = WallTime.now,
    write: @escaping @Sendable (String) -> Void
  ) {
    self.label = label
    self.logLevel = level
    self.format = format
    self.now = now
    self.write = write
  }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    var all = metadata
    if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
    if let own = event.metadata { all.merge(own) { $1 } }
    let record = LogRecord(
      time: now().text, level: event.level.rawValue, label: label, message: event.message.description,
      error: event.error.map { "\($0)" }, metadata: all)
    write(record.line(format))
  }
}

/// What stands in one line of the log.
struct LogRecord {
  let time: String
  let level: String
  let label: String
  let message: String
  let error: String?
  let metadata: Logger.Metadata

  /// With its line end.
  func line(_ format: LogFormat) -> String {
    switch format {
    case .text: text + "\n"
    case .json: json + "\n"
    }
  }
}
