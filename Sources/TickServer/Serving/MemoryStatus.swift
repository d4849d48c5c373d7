/// The process's memory against its bounds, as the server last judged it.
struct MemoryStatus: Sendable {
  enum Pressure: String, CaseIterable, Encodable, Sendable {
    case normal
    /// New rooms and connections are refused.
    case high
    /// Laggards are evicted as well.
    case critical
  }

  /// Nil when there is no limit.
  var limitBytes: Int?
  /// Worst case of the configuration.
  var planBytes = 0
  var pressure = Pressure.normal
}
